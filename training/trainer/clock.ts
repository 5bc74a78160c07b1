/** The time that a run may take, and how far it has come in it. */

export interface Clock {
  /** Seconds. */
  readonly spent: () => number;
  /** Of the limit; more than 1 once it is over. */
  readonly share: () => number;
  /** The share after so many steps in all, if they take as long as those since the clock was started. */
  readonly forecast: (done: number) => (steps: number) => number;
}

/**
 * @param limit seconds; there is no clock without one
 * @param before seconds that the run has spent already
 */
export function startClock(limit: number | undefined, before = 0): Clock | undefined {
  if (limit === undefined) return undefined;
  const start = performance.now();
  let first: number | undefined;
  const spent = () => before + (performance.now() - start) / 1000;
  const share = () => spent() / limit;
  return {
    spent,
    share,
    forecast: (done) => {
      first ??= done;
      const now = share();
      const each = done > first ? (now - before / limit) / (done - first) : 0;
      return (steps) => now + (steps - done) * each;
    },
  };
}
