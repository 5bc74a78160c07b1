/** When things are done while the pair trains, so that training has nearly all of the time. */

const waiting: (() => void)[] = [];
let wake: (() => void) | undefined;

function openChannel(): () => void {
  // The types at hand are those of Node's channels.
  const { port1, port2 } = new MessageChannel() as unknown as {
    readonly port1: { onmessage: (() => void) | null };
    readonly port2: { readonly postMessage: (message: undefined) => void };
  };
  port1.onmessage = () => waiting.shift()?.();
  return () => {
    port2.postMessage(undefined);
  };
}

/** After the orders that have come meanwhile; without the milliseconds that a timer of a timer waits. */
export function soon(act: () => void): void {
  waiting.push(act);
  wake ??= openChannel();
  wake();
}

export interface Rationed {
  readonly now: () => void;
  /** @param isIdle whether there is nothing else to do */
  readonly ifDue: (isIdle: boolean) => void;
}

/**
 * @param parts one in so many of the time is what it takes at most, unless there is nothing else to do
 * @param within the fewest and most milliseconds between two times
 */
export function rationed(
  act: () => void,
  parts: number,
  [every, most]: readonly [fewest: number, most: number],
): Rationed {
  let last = -Infinity;
  let rest = every;
  const now = (): void => {
    last = performance.now();
    act();
    rest = Math.min(Math.max(parts * (performance.now() - last), every), most);
  };
  return {
    now,
    ifDue: (isIdle) => {
      if (performance.now() >= last + (isIdle ? every : rest)) now();
    },
  };
}

/**
 * How many steps are taken at once: as many as last about `milliseconds`, going by those before. Going by the fastest, all but: on a machine
 * that others use as well, most of the time that a call takes may be theirs.
 */
export class Stride {
  readonly #milliseconds: number;
  readonly #max: number;
  #each = Infinity;

  constructor(milliseconds: number, max: number) {
    this.#milliseconds = milliseconds;
    this.#max = max;
  }

  get steps(): number {
    return Math.min(Math.max(Math.floor(this.#milliseconds / this.#each), 1), this.#max);
  }

  /** So many steps took so long. */
  note(steps: number, milliseconds: number): void {
    this.#each = Math.min(milliseconds / steps, 1.1 * this.#each);
  }
}
