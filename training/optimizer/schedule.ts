/** Learning-rate schedules: the factor by which the base rate is multiplied. */

export interface Schedule {
  /** The share of all steps during which the rate rises, unless the user sets another. */
  readonly warmUp: number;
  /** Returns the factor after the share `progress` in [0, 1) of the warm-up. */
  readonly rise: (progress: number) => number;
  /** Returns the factor after the share `progress` in [0, 1) of the steps after the warm-up. */
  readonly fall: (progress: number) => number;
}

/** Follows half a cosine wave. */
const cosine = (from: number, to: number) => (progress: number) =>
  to + ((from - to) * (1 + Math.cos(Math.PI * progress))) / 2;

/** Follows a line from 1/25 to 1, after Goyal et al., https://arxiv.org/abs/1706.02677, section 2.2 */
const line = (progress: number): number => 1 / 25 + (1 - 1 / 25) * progress;

export const schedules = {
  constant: { warmUp: 0, rise: line, fall: () => 1 },
  /**
   * Divides the rate by ten after half of the steps, and again after three quarters: He et al.,
   * https://arxiv.org/abs/1512.03385, section 4.2
   */
  step: { warmUp: 0, rise: line, fall: (progress) => (progress < 0.5 ? 1 : progress < 0.75 ? 0.1 : 0.01) },
  /** Falls from 1 to 0: Loshchilov and Hutter, https://arxiv.org/abs/1608.03983 */
  cosine: { warmUp: 0, rise: line, fall: cosine(1, 0) },
  /**
   * Rises from 1/25, falls to 1/250,000: Smith and Topin, https://arxiv.org/abs/1708.07120, with PyTorch's shape and
   * defaults.
   */
  'one-cycle': { warmUp: 0.3, rise: cosine(1 / 25, 1), fall: cosine(1, 1 / 25 / 1e4) },
} as const satisfies Readonly<Record<string, Schedule>>;

export type ScheduleName = keyof typeof schedules;

/**
 * Returns the factor at a step.
 *
 * @param progress the share of all training steps that is done, in [0, 1)
 * @param warmUp the share of all steps during which the rate rises; by default the schedule's own
 */
export function rateFactor(name: ScheduleName, progress: number, warmUp: number = schedules[name].warmUp): number {
  const { rise, fall } = schedules[name];
  return progress < warmUp ? rise(progress / warmUp) : fall((progress - warmUp) / (1 - warmUp));
}
