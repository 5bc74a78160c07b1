/** Learning-rate schedules: the factor by which the base rate is multiplied, from 1 at the start. */

/** @param progress the share of all training steps that is done, in [0, 1) */
export type Schedule = (progress: number) => number;

export const schedules = {
  constant: () => 1,
  /** Half a cosine, from 1 to 0: Loshchilov and Hutter, https://arxiv.org/abs/1608.03983 */
  cosine: (progress) => (1 + Math.cos(Math.PI * progress)) / 2,
} as const satisfies Readonly<Record<string, Schedule>>;

export type ScheduleName = keyof typeof schedules;
