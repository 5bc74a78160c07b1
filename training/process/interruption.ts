/**
 * Catches Ctrl-C, SIGTERM and SIGHUP during work whose state can be saved: the first signal asks it to stop, the second
 * ends the process at once.
 */
import { exitCodeOf, type Signal, signals } from './interrupted.ts';

export interface Interruption extends Disposable {
  /** Is aborted by the first signal. */
  readonly signal: AbortSignal;
}

/** Catches the signals until the returned object is disposed of. */
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
