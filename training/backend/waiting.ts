/**
 * How threads wait for the next op of a graph: in a busy loop, which is faster by half where ops are short, or asleep, which is
 * twice as fast once another process wants one of the cores. A session cannot change it, and results do not depend on it, so
 * that two sessions of one graph take turns.
 */
import type { Session } from './backend.ts';

/** Cores that others keep busy, from which on a busy loop costs more than it saves. */
const tolerableLoad = 0.2;

/** @param load how many cores others keep busy */
export async function waitingAsSuits(
  open: (spinning: boolean) => Promise<Session>,
  load: () => number,
): Promise<Session> {
  const opened = new Map<boolean, Promise<Session>>();
  const session = (spinning: boolean): Promise<Session> => {
    const known = opened.get(spinning) ?? open(spinning);
    opened.set(spinning, known);
    return known;
  };
  const suitable = () => session(load() <= tolerableLoad);
  await suitable();
  return {
    run: async (feeds) => (await suitable()).run(feeds),
    release: async () => {
      for (const each of opened.values()) await (await each).release();
    },
  };
}
