/** What the command tells the processes that run tests, and what they tell it. */
import type { Mutant } from './mutants.ts';

export interface Plan {
  readonly mutants: readonly Mutant[];
  /** The mutants that the sources contain, by their places in `mutants`. */
  readonly alive: readonly number[];
  /** The one mutant that is awake from the start, in place of all in turn; -1 leaves all asleep. */
  readonly awake?: number;
  readonly tests: readonly string[];
  /** The tests to leave out when a mutant is awake from the start: slow ones, and those that fail by themselves. */
  readonly skipped: readonly string[];
  /** The file to which events are appended, one a line. */
  readonly events: string;
}

export type Event =
  /** A test ran as it is. It fails when no mutant is awake, or because of the one that is awake from the start. */
  | { readonly ran: string; readonly failed: boolean; readonly endless: boolean; readonly slow: boolean }
  | { readonly begins: number }
  | { readonly ends: number }
  | { readonly killed: number; readonly by: string; readonly endless: boolean }
  | { readonly covered: readonly number[]; readonly file: string }
  /** Met while files were loaded or suites prepared, where no single test can be repeated. */
  | { readonly outside: readonly number[]; readonly file: string }
  /** A test failed while the mutant was awake, but not again, or also while all were asleep. */
  | { readonly unsure: number; readonly test: string };
