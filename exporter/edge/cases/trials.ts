/** A runtime to try inputs on that may be its last: a trap leaves nothing of it to rely on, so it is started anew. */

import type { Outcome, Subject } from './cases.ts';

/** What begins the outcome of a case that trapped. */
const trapped = 'trapped: ';

export const isTrap = (outcome: Outcome): boolean => typeof outcome === 'string' && outcome.startsWith(trapped);

/** A trap as an outcome, which equals no other, least of all silence. */
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

  /** @param onTrap is shown the trapped subject before it is given up */
  async perform(perform: (subject: S) => Outcome, onTrap: (subject: S) => void = () => undefined): Promise<Outcome> {
    const outcome = outcomeOrTrap(this.#subject, perform);
    if (isTrap(outcome)) {
      onTrap(this.#subject);
      this.#subject = await this.#start();
    }
    return outcome;
  }
}
