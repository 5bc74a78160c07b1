/** Schedules work during the training of the pair, so that training has nearly all of the time. */

const queue: (() => void)[] = [];
let wake: (() => void) | undefined;

function openChannel(): () => void {
  // TypeScript sees Node's types of channels here.
  const { port1, port2 } = new MessageChannel() as unknown as {
    readonly port1: { onmessage: (() => void) | null };
    readonly port2: { readonly postMessage: (message: undefined) => void };
  };
  port1.onmessage = () => queue.shift()?.();
  return () => {
    port2.postMessage(undefined);
  };
}

/** Calls `act` after the orders that have already arrived, without the delay that browsers add to nested timers. */
export function runSoon(act: () => void): void {
  queue.push(act);
  wake ??= openChannel();
  wake();
}

export interface Throttled {
  readonly now: () => void;
  /** @param isIdle is true when there is nothing else to do */
  readonly ifDue: (isIdle: boolean) => void;
}

/**
 * Limits how often `act` runs.
 *
 * @param parts limits `act` to one in so many parts of the time, unless there is nothing else to do
 * @param within the minimum and the maximum of milliseconds from the end of a call to the next
 */
export function throttled(act: () => void, parts: number, [min, max]: readonly [min: number, max: number]): Throttled {
  let last = -Infinity;
  let rest = min;
  const now = (): void => {
    last = performance.now();
    act();
    rest = Math.min(Math.max(parts * (performance.now() - last), min), max);
  };
  return {
    now,
    ifDue: (isIdle) => {
      if (performance.now() >= last + (isIdle ? min : rest)) now();
    },
  };
}

/**
 * Chooses how many steps are taken in one call: as many as last about `milliseconds`, by the fastest of the calls so
 * far. The mean would not do: on a machine that others use as well, most of a call's time may be theirs. Each call may
 * raise the estimate by a tenth, so that it follows a real slowdown.
 */
export class Stride {
  readonly #milliseconds: number;
  readonly #max: number;
  #perStep = Infinity;

  constructor(milliseconds: number, max: number) {
    this.#milliseconds = milliseconds;
    this.#max = max;
  }

  get steps(): number {
    return Math.min(Math.max(Math.floor(this.#milliseconds / this.#perStep), 1), this.#max);
  }

  /** Updates the estimate by the time that a call took. */
  note(steps: number, milliseconds: number): void {
    this.#perStep = Math.min(milliseconds / steps, 1.1 * this.#perStep);
  }
}
