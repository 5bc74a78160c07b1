/** What a process leaves behind where it ends in the midst of something, but for `kill -9`. */

/**
 * @param work is done when the process ends, unless what it is for has come to its own end before. Nothing in it can wait
 */
export function atExit(work: () => void): Disposable {
  process.on('exit', work);
  return {
    [Symbol.dispose]: () => {
      process.off('exit', work);
    },
  };
}
