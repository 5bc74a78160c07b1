/** Formats numbers for the page. */

/** Writes a share in [0, 1] as a percentage that reads 100 % or 0 % only when it is exactly that. */
export function percent(share: number): string {
  if (share > 0.999 && share < 1) return '> 99.9 %';
  if (share < 0.001 && share > 0) return '< 0.1 %';
  return `${(100 * share).toFixed(1)} %`;
}

/** Writes two or three significant digits, with a real minus sign. */
export function decimal(value: number): string {
  const size = Math.abs(value);
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : size >= 0.1 || size === 0 ? 2 : 3;
  return value
    .toFixed(digits)
    .replace(/^-(0(\.0+)?)$/, '$1')
    .replace('-', '\u2212');
}

export function plural(count: number, noun: string): string {
  return `${count === 0 ? 'no' : count} ${noun}${count === 1 ? '' : 's'}`;
}

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0, useGrouping: 'min2' });
const plain = new Intl.NumberFormat('en', { maximumSignificantDigits: 5, useGrouping: 'min2' });

/** Writes a number of a table or an answer as people do; four digits have no separator, because they may be a year. */
export function number(value: number): string {
  const size = Math.abs(value);
  const isExtreme = size >= 1e15 || (value !== 0 && size < 1e-4);
  const text = isExtreme ? value.toExponential(3) : (size >= 1e4 ? whole : plain).format(value);
  return text.replaceAll('-', '\u2212');
}

/** Writes a power of ten, as in 10⁻⁵. */
export const powerOfTen = (exponent: number): string =>
  `10${String(exponent).replaceAll(/[-\d]/g, (sign) => '⁻⁰¹²³⁴⁵⁶⁷⁸⁹'.charAt('-0123456789'.indexOf(sign)))}`;

/** Writes a difference, in percentage points when it is one of shares. */
export function signed(value: number, isShare: boolean): string {
  const text = isShare ? Math.abs(100 * value).toFixed(1) : number(Math.abs(value));
  return `${value < 0 ? '\u2212' : '+'}${text}${isShare ? ' %' : ''}`;
}
