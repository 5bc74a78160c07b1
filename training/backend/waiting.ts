/**
 * How threads wait for the next op of a graph: in a busy loop, which is faster by half where ops are short, or asleep, which is
 * twice as fast once another process wants one of the cores. A session cannot change it, and results do not depend on it, so
 * that one session takes the place of the other.
 */
import type { Session } from './backend.ts';

/** Cores that others keep busy: a busy loop ends above the one and begins below the other, so that it does not flicker. */
const most = 0.3;
const least = 0.1;

interface Waiting {
  readonly spinning: boolean;
  readonly session: Session;
}

/** @param load how many cores others keep busy */
export async function waitingAsSuits(
  open: (spinning: boolean) => Promise<Session>,
  load: () => number,
): Promise<Session> {
  const start = async (spinning: boolean): Promise<Waiting> => ({ spinning, session: await open(spinning) });
  let current = Promise.resolve(await start(load() <= most));
  let running = 0;

  const suitable = async (before: Waiting): Promise<Waiting> => {
    const spinning = load() <= (before.spinning ? most : least);
    if (spinning === before.spinning || running > 0) return before;
    await before.session.release();
    return start(spinning);
  };
  return {
    run: async (feeds) => {
      current = current.then(suitable);
      const { session } = await current;
      running += 1;
      try {
        return await session.run(feeds);
      } finally {
        running -= 1;
      }
    },
    release: async () => (await current).session.release(),
  };
}
