/** Numbers are formatted for people. */
import { expect, it } from 'vitest';
import { fourDigits } from '../../../training/files/index.ts';

it.each([
  [0.99123, '0.9912'],
  [0.000123456, '0.0001235'],
  [1171.6, '1172'],
  [9999.4, '9999'],
  [9999.6, '10,000'],
  [12_345.6, '12,346'],
  [-1_234_567.8, '-1,234,568'],
  [1.5e18, '1.500e+18'],
  [NaN, 'NaN'],
  [-Infinity, '-Infinity'],
])('%d has four digits that count, and no exponent among usual amounts', (value, text) => {
  expect(fourDigits(value)).toBe(text);
});
