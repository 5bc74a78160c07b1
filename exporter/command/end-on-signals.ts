/** Ctrl-C, SIGTERM and SIGHUP end a command with a line, wherever nobody takes them to save something first. */
import { constants } from 'node:os';

/** Those of training/process, which help need not wait for. */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Until it is disposed of. What is half-done is put in order, and what was started ended, when the process exits: see `atExit`.
 *
 * @param tell prints the line
 */
export function endsOnSignals(tell: (line: string) => void): Disposable {
  const end = (signal: (typeof signals)[number]) => {
    if (process.listenerCount(signal) > 1) return;
    tell('interrupted');
    // 128 and the signal's number, as shells have it.
    process.exit(128 + constants.signals[signal]);
  };
  for (const signal of signals) process.on(signal, end);
  return {
    [Symbol.dispose]: () => {
      for (const signal of signals) process.off(signal, end);
    },
  };
}
