/** Cleans up when a process ends in the middle of some work. Only `kill -9` bypasses it. */

/**
 * Runs `work` when the process exits, unless the returned object has been disposed of before.
 *
 * @param work must be synchronous: nothing asynchronous runs any more at that point
 */
export function atExit(work: () => void): Disposable {
  process.on('exit', work);
  return {
    [Symbol.dispose]: () => {
      process.off('exit', work);
    },
  };
}
