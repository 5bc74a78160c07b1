/**
 * Decides how many steps the next call takes. The result of training does not depend on it.
 *
 * Progress is shown and an interruption noticed only between calls, so long calls feel unresponsive. Short calls waste
 * time where each has a cost of its own, as with a Loop, which copies its state in and out.
 */

const firstSteps = 16;
const maxSteps = 256;
/** The duration that calls aim at: progress still looks steady. */
const targetMs = 200;
/** The maximum duration of a call that is longer to be worth its cost. */
const maxMs = 3000;
/** A call may add at most this share to the time of its steps. */
const maxCost = 0.05;

interface Call {
  readonly steps: number;
  readonly milliseconds: number;
}

export class Pace {
  #steps = firstSteps;
  readonly #isFree: boolean;
  /**
   * The latest calls of two different lengths. Their difference shows how long a step takes, and so what a call costs.
   */
  #calls: readonly Call[] = [];

  /** @param isFree whether a call costs no more than its steps */
  constructor(isFree: boolean) {
    this.#isFree = isFree;
  }

  get steps(): number {
    return this.#steps;
  }

  /** Records how long a call took. The shorter call at the end of an epoch is ignored. */
  add(call: Call): void {
    if (call.steps < this.#steps) return;
    this.#calls = [call, ...this.#calls.filter(({ steps }) => steps !== call.steps)].slice(0, 2);
    const steady = Math.min((call.steps * targetMs) / call.milliseconds, maxSteps);
    const wanted = Math.min(Math.max(steady, this.#minWorthwhileSteps()), 2 * call.steps);
    this.#steps = Math.max(1, Math.round(wanted));
  }

  /** Returns the number of steps from which a call costs at most its share of their time; 0 where that is unknown. */
  #minWorthwhileSteps(): number {
    const [last, other] = this.#calls;
    if (this.#isFree || !last || !other) return 0;
    const step = (last.milliseconds - other.milliseconds) / (last.steps - other.steps);
    const cost = last.milliseconds - last.steps * step;
    // On a busy machine, a longer call may seem to take less time.
    if (!(step > 0) || !(cost > 0)) return 0;
    return Math.min(cost / (maxCost * step), maxMs / step);
  }
}
