/** Formats numbers for a reader. */
import { at } from '../../../training/arrays/index.ts';
import { deviation, mean } from '../lab/statistics.ts';

const superscripts = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/** Writes three significant digits: `1,240`, `0.0312`, `3.1 · 10⁻⁷`. */
export function number(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return value > 0 ? '∞' : String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e7)) return scientific(value, digits - 1);
  const text = value.toLocaleString('en-US', { maximumSignificantDigits: Math.max(digits, integerDigits(size)) });
  return text.replace('-', '−');
}

const integerDigits = (size: number): number => (size < 1 ? 1 : Math.floor(Math.log10(size)) + 1);

function scientific(value: number, digits: number): string {
  const [mantissa = '', exponent = '0'] = value.toExponential(Math.max(0, digits - 1)).split('e');
  return `${mantissa.replace('-', '−')}\u202f·\u202f10${raised(Number(exponent))}`;
}

/** Writes a power of ten as the label of an axis: `10⁻⁴`, `1`, `100`. */
export function power(value: number): string {
  const exponent = Math.log10(value);
  if (!Number.isInteger(Number(exponent.toFixed(9)))) return number(value, 2);
  return Math.abs(exponent) <= 3 ? String(Number(value.toPrecision(1))) : `10${raised(Math.round(exponent))}`;
}

const raised = (exponent: number): string =>
  (exponent < 0 ? '⁻' : '') +
  String(Math.abs(exponent)).replaceAll(/\d/g, (digit) => superscripts.charAt(Number(digit)));

/** Writes a share as `97.1 %`. */
export const percent = (share: number, digits = 1): string => `${(100 * share).toFixed(digits)}\u202f%`;

/**
 * Writes `0.218 ± 0.006`: the mean of the repeats to the last digit that their standard deviation leaves certain, and
 * that deviation.
 */
export function spread(values: readonly number[]): string {
  const [centre, scatter] = [mean(values), deviation(values)];
  const write = scatter === 0 ? number : (value: number) => fixed(value, decimalsOf(scatter));
  return `${write(centre)}\u00a0±\u00a0${write(scatter)}`;
}

/** Counts the decimal places up to the first digit that is not 0, and one more when that is a 1. */
function decimalsOf(scatter: number): number {
  const exponent = Math.floor(Math.log10(scatter));
  return Math.max(0, (scatter < 2 * 10 ** exponent ? 1 : 0) - exponent);
}

const fixed = (value: number, decimals: number): string =>
  value.toLocaleString('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals }).replace('-', '−');

/** Writes shares as `97.1 ± 0.2 %`. */
export const percentSpread = (shares: readonly number[], digits = 1): string =>
  `${(100 * mean(shares)).toFixed(digits)}\u00a0±\u00a0${(100 * deviation(shares)).toFixed(digits)}\u202f%`;

/** Makes a text the beginning of a sentence; code stays as it is. */
export const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** Joins items as `a, b and c`. */
export const list = (items: readonly string[]): string =>
  items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${at(items, items.length - 1)}`;
