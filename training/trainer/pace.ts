/**
 * How many steps the next call takes. Between calls progress is shown and an interruption noticed, so that long ones feel dead; and where
 * each call has a cost of its own, as a Loop's that copies its state in and out, short ones waste time. The results do not depend on it.
 */

const first = 16;
const maxSteps = 256;
/** Of a call, in milliseconds: what still reads as steady progress, and what is borne for the sake of its cost. */
const usual = 200;
const longest = 3000;
/** Of the time that its steps take: what a call may cost. */
const maxCost = 0.05;

interface Call {
  readonly steps: number;
  readonly milliseconds: number;
}

export class Pace {
  #steps = first;
  readonly #isFree: boolean;
  /** The last ones of two lengths: what they do not share tells what a step takes, and so what a call costs. */
  #calls: readonly Call[] = [];

  /** @param isFree whether a call costs no more than its steps */
  constructor(isFree: boolean) {
    this.#isFree = isFree;
  }

  get steps(): number {
    return this.#steps;
  }

  /** That a call took so long. The short one at the end of an epoch says nothing. */
  add(call: Call): void {
    if (call.steps < this.#steps) return;
    this.#calls = [call, ...this.#calls.filter(({ steps }) => steps !== call.steps)].slice(0, 2);
    const steady = Math.min((call.steps * usual) / call.milliseconds, maxSteps);
    const wanted = Math.min(Math.max(steady, this.#worthItsCost()), 2 * call.steps);
    this.#steps = Math.max(1, Math.round(wanted));
  }

  /** So many steps that a call costs at most its share of them, as far as is known. */
  #worthItsCost(): number {
    const [one, other] = this.#calls;
    if (this.#isFree || !one || !other) return 0;
    const step = (one.milliseconds - other.milliseconds) / (one.steps - other.steps);
    const cost = one.milliseconds - one.steps * step;
    // Where others use the machine, a longer call may seem to take less time.
    if (!(step > 0) || !(cost > 0)) return 0;
    return Math.min(cost / (maxCost * step), longest / step);
  }
}
