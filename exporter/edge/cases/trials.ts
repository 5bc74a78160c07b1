/** Runs trials on a runtime that a trap may end: after a trap nothing in it can be relied on, so it is started again. */

import type { Outcome, Subject } from './cases.ts';

/** Begins the outcome of a case that trapped. */
const trapped = 'trapped: ';

export const isTrap = (outcome: Outcome): boolean => typeof outcome === 'string' && outcome.startsWith(trapped);

/** Returns a trap as an outcome, which equals no outcome of stock's. */
export function outcomeOrTrap<S extends Subject>(subject: S, perform: (subject: S) => Outcome): Outcome {
  try {
    return perform(subject);
  } catch (error) {
    return `${trapped}${String(error)}`;
  }
}

export class Trials<S extends Subject> {
  #subject: S;
  readonly #start: () => Promise<S>;

  /** @param start makes another subject with the same models */
  constructor(subject: S, start: () => Promise<S>) {
    this.#subject = subject;
    this.#start = start;
  }

  get subject(): S {
    return this.#subject;
  }

  /** @param onTrap receives the trapped subject before it is replaced */
  async perform(perform: (subject: S) => Outcome, onTrap: (subject: S) => void = () => undefined): Promise<Outcome> {
    const outcome = outcomeOrTrap(this.#subject, perform);
    if (isTrap(outcome)) {
      onTrap(this.#subject);
      this.#subject = await this.#start();
    }
    return outcome;
  }
}
