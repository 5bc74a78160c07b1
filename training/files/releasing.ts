/**
 * Releases resources, such as a session of ONNX Runtime or threads, on every path out of a block, and cleans up when a
 * process ends in the middle of some work.
 */

interface Releasable {
  readonly release: () => Promise<void>;
}

/**
 * Marks a resource for `await using`, which releases it when its block ends, also by an error:
 *
 *     await using session = releasing(await backend.createSession(graph));
 */
export function releasing<T extends Releasable>(held: T): T & AsyncDisposable {
  return Object.assign(held, { [Symbol.asyncDispose]: () => held.release() });
}

/**
 * Opens something that depends on resources already held, and releases those where opening fails.
 *
 * @throws whatever `open` throws, with what releasing throws as its `suppressed`
 */
export async function releasingOnError<T>(held: readonly Releasable[], open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    const released = await Promise.allSettled(held.map((each) => each.release()));
    throw withSuppressed(
      error,
      released.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : [])),
    );
  }
}

/**
 * Keeps the errors of releasing beside the first error. That one keeps its class and message, since it is the cause and
 * callers branch on its class, which the `SuppressedError` of `await using` would hide.
 */
function withSuppressed(error: unknown, suppressed: readonly unknown[]): unknown {
  if (suppressed.length === 0) return error;
  return error instanceof Error
    ? Object.assign(error, { suppressed })
    : new AggregateError([error, ...suppressed], String(error));
}

/**
 * Runs `work` when the process exits, unless the returned object has been disposed of before. Only `kill -9` bypasses
 * it.
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
