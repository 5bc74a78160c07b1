/**
 * The error of an interrupted run. It stands apart from the code that catches signals, whose types are missing from the
 * type libraries of some programs.
 */
import { constants } from 'node:os';
import { UserError } from '../files/index.ts';

/**
 * The signals that ask a process to stop: Ctrl-C, the end of a service or container, and a closed terminal or
 * connection.
 */
export const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
export type Signal = (typeof signals)[number];

/** Returns the exit code that shells use: 128 plus the number of the signal. */
export const exitCodeOf = (signal: Signal): number => 128 + constants.signals[signal];

/** The user asked to stop, and everything is saved. The message says how to resume. */
export class Interrupted extends UserError {
  override readonly exitCode: number;

  constructor(signal: AbortSignal, message: string) {
    super(message);
    this.exitCode = exitCodeOf(signal.reason as Signal);
  }
}
