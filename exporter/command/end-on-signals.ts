/**
 * Ends a command with a line on Ctrl-C, SIGTERM and SIGHUP, unless something else handles the signal, to save work
 * first.
 */
import { constants } from 'node:os';

/** The same signals as in training/process, which is not imported here, so that help is quick. */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Ends the process on these signals until it is disposed. At the exit, `atExit` cleans up half-done work and ends
 * started processes.
 *
 * @param tell prints the line
 */
export function endsOnSignals(tell: (line: string) => void): Disposable {
  const end = (signal: (typeof signals)[number]) => {
    if (process.listenerCount(signal) > 1) return;
    tell('interrupted');
    // The exit code is 128 plus the signal's number, as in shells.
    process.exit(128 + constants.signals[signal]);
  };
  for (const signal of signals) process.on(signal, end);
  return {
    [Symbol.dispose]: () => {
      for (const signal of signals) process.off(signal, end);
    },
  };
}
