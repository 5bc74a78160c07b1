/** What the command tells the processes that run tests, and what they tell it. */
import type { Mutant } from './mutants.ts';

export interface Plan {
  readonly mutants: readonly Mutant[];
  /** The mutants that no test has killed yet, by their places in `mutants`. */
  readonly alive: readonly number[];
  /** The one mutant that is awake from the start, in place of all in turn. */
  readonly awake?: number;
  readonly tests: readonly string[];
  /** The tests that take too long to be run for a mutant that is awake from the start. */
  readonly slow: readonly string[];
  /** The file to which events are appended, one a line. */
  readonly events: string;
}

export type Event =
  | { readonly begins: number }
  | { readonly killed: number; readonly by: string; readonly endless: boolean }
  | { readonly covered: readonly number[]; readonly file: string }
  /** Met while files were loaded or suites prepared, where no single test can be repeated. */
  | { readonly outside: readonly number[]; readonly file: string }
  | { readonly unsure: readonly number[]; readonly test: string }
  | { readonly slow: string }
  | { readonly failed: string };
