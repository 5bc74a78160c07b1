/** What a run that was interrupted ends in: apart from what catches the signals, whose types not every program knows. */
import { constants } from 'node:os';
import { UserError } from '../files/index.ts';

/** Ctrl-C, what ends services and containers, and a terminal or a connection that is closed. */
export const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
export type Signal = (typeof signals)[number];

/** 128 and the signal's number, as shells have it. */
export const exitCodeOf = (signal: Signal): number => 128 + constants.signals[signal];

/** The user asked to stop and everything is saved; the message says how to go on. */
export class Interrupted extends UserError {
  override readonly exitCode: number;

  constructor(signal: AbortSignal, message: string) {
    super(message);
    this.exitCode = exitCodeOf(signal.reason as Signal);
  }
}
