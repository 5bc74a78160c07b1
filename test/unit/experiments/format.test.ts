/** The report formats numbers as intended. */
import { expect, it } from 'vitest';
import { spread } from '../../../docs/experiments/report/format.ts';

/** Two values with this mean and standard deviation: they lie s/√2 to either side. */
const repeats = (mean: number, deviation: number): readonly number[] => [
  mean - deviation / Math.SQRT2,
  mean + deviation / Math.SQRT2,
];

it.each([
  [0.218_04, 0.006_42, '0.218 ± 0.006'],
  [0.3104, 0.0084, '0.310 ± 0.008'],
  [0.2664, 0.0113, '0.266 ± 0.011'],
  [0.002_812, 0.000_028, '0.00281 ± 0.00003'],
  [-0.0031, 0.0059, '−0.003 ± 0.006'],
  [1346.7, 140.2, '1,347 ± 140'],
  [0.218, 0, '0.218 ± 0'],
])('writes a mean of %d and a deviation of %d as far as it is certain', (mean, deviation, text) => {
  expect(spread(repeats(mean, deviation)).replaceAll('\u00a0', ' ')).toBe(text);
});
