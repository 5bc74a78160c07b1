/** Keeps up with input that comes faster than answers, in two ways. */

/** Works on one input at a time. Of those that arrive meanwhile, only the newest is worked on next. */
export function latest<Input>(work: (input: Input) => Promise<void>): (input: Input) => void {
  let next: { readonly input: Input } | undefined;
  let busy = false;

  async function drain(): Promise<void> {
    busy = true;
    while (next !== undefined) {
      const { input } = next;
      next = undefined;
      await work(input);
    }
    busy = false;
  }
  return (input) => {
    next = { input };
    if (!busy) void drain();
  };
}

/** Works on the newest input once none has come for a while; the work can ask whether it is still the newest. */
export function whenQuiet<Input extends unknown[]>(
  milliseconds: number,
  work: (isNewest: () => boolean, ...input: Input) => Promise<void>,
): (...input: Input) => void {
  let newest: Input | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  return (...input) => {
    newest = input;
    clearTimeout(timer);
    timer = setTimeout(() => void work(() => newest === input, ...input), milliseconds);
  };
}
