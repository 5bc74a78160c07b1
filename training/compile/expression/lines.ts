/** The statements of a kernel's inner loop, in order. Each names one intermediate result. */
import { get, type Locals, localsOf, set, type Wat } from '../wat.ts';

export class Lines {
  readonly #statements: Wat[] = [];
  readonly #names: string[] = [];
  readonly #prefix: string;

  constructor(prefix = 'v') {
    this.#prefix = prefix;
  }

  get statements(): readonly Wat[] {
    return this.#statements;
  }

  get locals(): Locals {
    return localsOf('v128', ...this.#names);
  }

  /** Computes `value` once at this point, and returns the expression that reads it. */
  keep(value: Wat): Wat {
    const name = `${this.#prefix}${this.#names.length}`;
    this.#names.push(name);
    this.#statements.push(set(name, value));
    return get(name);
  }

  add(statement: Wat): void {
    this.#statements.push(statement);
  }
}
