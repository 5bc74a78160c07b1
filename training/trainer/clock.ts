/** Measures how much of a run's time limit has passed, and forecasts when it will be over. */

export interface Clock {
  /** Returns the seconds that the run has spent, including those before it was resumed. */
  readonly spent: () => number;
  /** Returns the share of the limit that has passed; it exceeds 1 once the limit does. */
  readonly share: () => number;
  /**
   * Returns a forecast of the share after any number of steps, given that `done` have been taken. Each further step is
   * assumed to take as long as those since the first forecast.
   */
  readonly forecast: (done: number) => (steps: number) => number;
}

/**
 * @param limit seconds; without a limit there is no clock
 * @param before seconds that the run has already spent
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
