/**
 * Chooses how threads wait for the next op of a graph. A busy loop is faster by half where ops are short; sleep is
 * twice as fast once another process wants one of the cores. A session cannot change how it waits, so one session
 * replaces another. Results do not depend on it.
 */

/**
 * The numbers of cores that others keep busy, above which a busy loop ends and below which it begins. They differ so
 * that the choice does not flicker.
 */
const stopSpinningAbove = 0.3;
const startSpinningBelow = 0.1;

/** A session, whether bound to its tensors or not. */
export interface Runner<Args extends readonly unknown[], Result> {
  readonly run: (...args: Args) => Promise<Result>;
  readonly release: () => Promise<void>;
}

/** @param load returns the number of cores that other processes keep busy */
export async function adaptiveWaiting<Args extends readonly unknown[], Result>(
  open: (spinning: boolean) => Promise<Runner<Args, Result>>,
  load: () => number,
): Promise<Runner<Args, Result>> {
  const start = async (spinning: boolean) => ({ spinning, session: await open(spinning) });
  const startAnew = () => start(load() <= stopSpinningAbove);
  let current = Promise.resolve(await startAnew());
  let running = 0;

  const suitable = async (before: Awaited<typeof current>): Promise<Awaited<typeof current>> => {
    const spinning = load() <= (before.spinning ? stopSpinningAbove : startSpinningBelow);
    if (spinning === before.spinning || running > 0) return before;
    await before.session.release();
    return start(spinning);
  };
  return {
    run: async (...args) => {
      // After a failed change no session is open: the call that asked for the change throws, and the next call opens
      // one.
      current = current.then(suitable, startAnew);
      const { session } = await current;
      running += 1;
      try {
        return await session.run(...args);
      } finally {
        running -= 1;
      }
    },
    release: () =>
      current.then(
        ({ session }) => session.release(),
        () => undefined,
      ),
  };
}
