/**
 * How threads wait for the next op of a graph: in a busy loop, which is faster by half where ops are short, or asleep, which is
 * twice as fast once another process wants one of the cores. A session cannot change it, and results do not depend on it, so
 * that one session takes the place of the other.
 */

/** Cores that others keep busy: a busy loop ends above the one and begins below the other, so that it does not flicker. */
const stopSpinningAbove = 0.3;
const startSpinningBelow = 0.1;

/** What a session is here, bound to its tensors or not. */
export interface Runner<Args extends readonly unknown[], Result> {
  readonly run: (...args: Args) => Promise<Result>;
  readonly release: () => Promise<void>;
}

/** @param load how many cores others keep busy */
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
      // Where the change of sessions has failed, nothing is open: the call that asked for it says why, and the next opens one.
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
