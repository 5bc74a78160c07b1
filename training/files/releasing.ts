/** What somebody must give back, a session of ONNX Runtime or threads, given back on every path out of a block. */

interface Releasable {
  readonly release: () => Promise<void>;
}

/**
 * Marks something for `await using`, which releases it when its block ends, by an error as well:
 *
 *     await using session = releasing(await backend.createSession(graph));
 */
export function releasing<T extends Releasable>(held: T): T & AsyncDisposable {
  return Object.assign(held, { [Symbol.asyncDispose]: () => held.release() });
}

/**
 * Opens what belongs to something that is held already, and gives that back where it cannot be opened.
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
