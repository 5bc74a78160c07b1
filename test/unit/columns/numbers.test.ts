/** Numbers are parsed as people write them. */
import { expect, it } from 'vitest';
import { type Decimal, parseNumber, unitOf } from '../../../training/columns/index.ts';

it.each<[string, number, string?]>([
  ['12', 12],
  ['-1.5e3', -1500],
  ['.5', 0.5],
  ['1,234', 1234],
  ['1,234,567.25', 1234567.25],
  ['1 234', 1234],
  ['1\u00A0234,567'.replace(',', '\u00A0'), 1234567],
  ["1'234.5", 1234.5],
  ['$3.20', 3.2, '$'],
  ['$ 2,994.00', 2994, '$'],
  ['-$3', -3, '$'],
  ['$-3', -3, '$'],
  ['3 €', 3, '€'],
  ['USD 5', 5, 'USD'],
  ['12 %', 12, '%'],
  ['-1.1%', -1.1, '%'],
  ['(3.20)', -3.2],
  ['($1,200)', -1200, '$'],
  ['−7', -7],
  ['+ 3', 3],
])('%s is a number', (text, value, unit) => {
  expect(parseNumber(text)).toBe(value);
  expect(unitOf(text)).toBe(unit);
});

it.each<[string, Decimal, number]>([
  ['2,5', ',', 2.5],
  ['-0,0803', ',', -0.0803],
  ['1.234,50', ',', 1234.5],
  ['1.234', ',', 1234],
  ['3,20 €', ',', 3.2],
  ['1.5', ',', NaN],
  ['2,5', '.', NaN],
])('%s with the decimal sign %s', (text, decimal, value) => {
  expect(parseNumber(text, decimal)).toBe(value);
});

it.each([
  '',
  'oops',
  '0x10',
  '1,23',
  '12,34,567',
  '1.2.3',
  '5 apples',
  '(-3)',
  '$',
  '%',
  '- -3',
  '2024-01-02',
  '12:30',
  '1e',
  '3 $ %',
  'ID-1',
])('%o is none', (text) => {
  expect(parseNumber(text)).toBeNaN();
  expect(unitOf(text)).toBeUndefined();
});
