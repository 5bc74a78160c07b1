/** Quantiles agree with SciPy 1.17's. */
import { expect, it } from 'vitest';
import { chiSquareQuantile, normalQuantile, tailOf } from '../../../../worker/drift/thresholds.ts';

it.each([
  // scipy.stats.norm.isf
  [0.4, 0.2533471031357997],
  [0.05, 1.6448536269514729],
  [0.025, 1.9599639845400545],
  [1e-3, 3.090232306167813],
  [1e-8, 5.612001244174789],
  [1e-12, 7.034483825301131],
  [0.95, -1.6448536269514729],
])('a normal number exceeds with probability %s the quantile %s, to seven digits', (tail, expected) => {
  expect(Math.abs(normalQuantile(tail) / expected - 1)).toBeLessThan(5e-7);
});

it.each([
  // scipy.stats.chi2.isf
  [1, 1e-5, 19.51142096465757, 0.12],
  [2, 1e-5, 23.025850929940457, 0.08],
  [5, 1e-5, 30.856189940435904, 0.04],
  [10, 1e-5, 41.29615796876022, 0.02],
  [30, 1e-5, 75.02343243887012, 0.006],
  [10, 0.05, 18.307038053275146, 0.002],
])('χ² with %s degrees of freedom exceeds with probability %s no more than is said', (freedom, tail, exact, excess) => {
  const ratio = chiSquareQuantile(freedom, tail) / exact;
  expect(ratio).toBeGreaterThan(0.999);
  expect(ratio).toBeLessThan(1 + excess);
});

it('tests share the probability of a false alarm', () => {
  expect(400 * tailOf(400)).toBeCloseTo(tailOf(1), 12);
});
