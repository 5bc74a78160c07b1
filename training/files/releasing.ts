/** Releases resources, such as a session of ONNX Runtime or threads, on every path out of a block. */

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
 * @throws whatever `open` throws
 */
export async function releasingOnError<T>(held: readonly Releasable[], open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    await Promise.all(held.map((each) => each.release()));
    throw error;
  }
}
