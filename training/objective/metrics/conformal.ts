/** Split-conformal prediction: intervals around predicted numbers that hold a given share of the values. */

/** Tolerates the binary rounding of a level. */
const ROUNDING = 1e-9;

/** Returns how many residuals an interval of a level needs: ⌈1 / (1 − level)⌉ − 1. */
export const fewestFor = (level: number): number => Math.ceil(1 / (1 - level) - ROUNDING) - 1;

/**
 * Returns half the width of an interval that holds a value with a probability of at least `level`, if it comes from the
 * distribution of the residuals' values: the ⌈(n + 1) level⌉-th smallest of n absolute residuals. Lei et al.,
 * https://arxiv.org/abs/1604.04173
 *
 * @returns undefined where there are too few residuals for the level
 */
export function halfWidthOf(level: number, residuals: readonly number[]): number | undefined {
  const rank = Math.ceil((residuals.length + 1) * level - ROUNDING);
  return residuals.map(Math.abs).sort((a, b) => a - b)[rank - 1];
}
