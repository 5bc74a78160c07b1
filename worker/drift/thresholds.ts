/**
 * Computes the value from which a difference is more than chance. All tests of a window share one probability of a
 * false alarm (Bonferroni), so that a model of a thousand channels does not alarm more often than one of ten.
 */

/** The minimum number of samples for a verdict: sums of fewer need not be distributed as the thresholds suppose. */
export const minSamples = 200;

/**
 * The probability that a window without drift raises an alarm, over all its tests, if their differences are distributed
 * as supposed.
 */
export const falseAlarms = 0.001;

/** Returns the share of `falseAlarms` that each of `tests` tests gets. */
export const tailOf = (tests: number): number => falseAlarms / Math.max(tests, 1);

/**
 * Returns the value that a standard normal number exceeds with probability `tail`, to seven digits, by Wichura's
 * algorithm AS 241, PPND7: https://doi.org/10.2307/2347330
 */
export function normalQuantile(tail: number): number {
  const q = 0.5 - tail;
  if (Math.abs(q) <= 0.425) return q * ratio(central, 0.180625 - q * q);
  const r = Math.sqrt(-Math.log(Math.min(tail, 1 - tail)));
  const z = r <= 5 ? ratio(middle, r - 1.6) : ratio(far, r - 5);
  return q < 0 ? -z : z;
}

/** Holds the coefficients of a numerator and a denominator, from the constant upwards. */
type Ratio = readonly [above: readonly number[], below: readonly number[]];

const central: Ratio = [
  [3.3871327179, 50.434271938, 159.29113202, 59.10937472],
  [1, 17.895169469, 78.757757664, 67.1875636],
];
const middle: Ratio = [
  [1.4234372777, 2.75681539, 1.3067284816, 0.17023821103],
  [1, 0.7370016425, 0.12021132975],
];
const far: Ratio = [
  [6.657905115, 3.081226386, 0.42868294337, 0.017337203997],
  [1, 0.24197894225, 0.012258202635],
];

const polynomial = (coefficients: readonly number[], x: number): number =>
  coefficients.reduceRight((sum, coefficient) => sum * x + coefficient, 0);

const ratio = ([above, below]: Ratio, x: number): number => polynomial(above, x) / polynomial(below, x);

/**
 * Returns the value that χ² with `freedom` degrees of freedom exceeds with probability `tail`, by Wilson and Hilferty's
 * cube (1931). Far out the result is a little too large, by 11 % with one degree of freedom and by 2 % with ten, so
 * that alarms become rarer rather than more frequent.
 */
export function chiSquareQuantile(freedom: number, tail: number): number {
  const spread = 2 / (9 * freedom);
  return freedom * (1 - spread + normalQuantile(tail) * Math.sqrt(spread)) ** 3;
}
