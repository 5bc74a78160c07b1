/**
 * Ctrl-C and SIGTERM while something runs that can be saved: the first asks it to stop, the second ends the process at once.
 */
import { constants } from 'node:os';
import { UserError } from '../files/index.ts';

const signals = ['SIGINT', 'SIGTERM'] as const;
type Signal = (typeof signals)[number];

/** The user asked to stop and everything is saved; the message says how to go on. */
export class Interrupted extends UserError {
  /** 128 and the signal's number, as shells have it. */
  override readonly exitCode: number;

  constructor(signal: AbortSignal, message: string) {
    super(message);
    this.exitCode = exitCodeOf(signal.reason as Signal);
  }
}

export interface Interruption extends Disposable {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
}

/** Until it is disposed of. */
export function interruption(): Interruption {
  const controller = new AbortController();
  const onSignal = (signal: Signal) => {
    if (controller.signal.aborted) process.exit(exitCodeOf(signal));
    controller.abort(signal);
  };
  for (const signal of signals) process.on(signal, onSignal);
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      for (const signal of signals) process.off(signal, onSignal);
    },
  };
}

const exitCodeOf = (signal: Signal): number => 128 + constants.signals[signal];
