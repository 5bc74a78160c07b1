/**
 * Parses numbers as people write them: `1234.5`, `1,234.50`, `$3.20`, `12 %`, `(3.20)`, `−3`; with a decimal comma
 * `1.234,50`.
 */

/** The decimal separator. It is a convention of a file, not of a column. */
export type Decimal = '.' | ',';

const PLAIN = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const PLAIN_COMMA = /^[+-]?(?:\d+,?\d*|,\d+)(?:e[+-]?\d+)?$/i;

/** Matches numbers whose whole part is grouped by three digits. */
const GROUPED: Readonly<Record<Decimal, RegExp>> = {
  '.': /^[+-]?\d{1,3}(?:([ ,'’])\d{3})(?:\1\d{3})*(?:\.\d*)?$/,
  ',': /^[+-]?\d{1,3}(?:([ .'’])\d{3})(?:\1\d{3})*(?:,\d*)?$/,
};

/**
 * Returns the decimal separator that most unambiguous numbers among these cells need. It is `either` where all
 * candidates look like `1,234`, and undefined where no cell decides.
 */
export function decimalIn(cells: readonly string[]): Decimal | 'either' | undefined {
  const count = (...patterns: readonly RegExp[]) =>
    patterns.reduce((sum, pattern) => sum + cells.filter((cell) => pattern.test(cell)).length, 0);
  const points = count(/^[^\d,.]*\d*\.(?:\d{1,2}|\d{4,})(?:e[+-]?\d+)?[^\d,.]*$/i, /\d,\d{3}\.\d/, /^[+-]?0\.\d{3}$/);
  const commas = count(/^[^\d,.]*\d*,(?:\d{1,2}|\d{4,})(?:e[+-]?\d+)?[^\d,.]*$/i, /\d\.\d{3},\d/, /^[+-]?0,\d{3}$/);
  if (commas > points) return ',';
  if (points > 0) return '.';
  return cells.some((cell) => /^[+-]?\d{1,3},\d{3}$/.test(cell)) ? 'either' : undefined;
}

const UNIT = /^(?:\p{Sc}|(?:US|A|C|NZ|HK|R)\$|USD|EUR|GBP|CHF|JPY|CNY|INR|CAD|AUD|SEK|NOK|DKK|PLN|CZK|BRL|%|‰)$/u;
const MAX_SIGNS = 40;

/** Replaces typographic minus signs and spaces. */
const plainSigns = (text: string): string =>
  text.replaceAll(/[\u2212\u2012\u2013\uFE63\uFF0D]/g, '-').replaceAll(/[\u00A0\u2000-\u200A\u202F\u205F\u3000]/g, ' ');

/** Parses a number; NaN for a text that is not one. */
export function parseNumber(text: string, decimal: Decimal = '.'): number {
  if (decimal === '.' ? PLAIN.test(text) : PLAIN_COMMA.test(text)) {
    return Number(decimal === '.' ? text : text.replace(',', '.'));
  }
  return mayBeFormatted(text) ? (formatted(text, decimal)?.value ?? NaN) : NaN;
}

/** Returns the currency sign or `%` beside a number; undefined where there is none. */
export const unitOf = (text: string, decimal: Decimal = '.'): string | undefined =>
  mayBeFormatted(text) ? formatted(text, decimal)?.unit : undefined;

/** Is true for a number without unit, grouping or typographic signs. */
export const isPlainNumber = (text: string): boolean => PLAIN.test(text);

const mayBeFormatted = (text: string): boolean => text.length <= MAX_SIGNS && /\d/.test(text);

interface Formatted {
  readonly value: number;
  readonly unit: string | undefined;
}

function formatted(text: string, decimal: Decimal): Formatted | undefined {
  let rest = plainSigns(text).trim();
  const isNegative = rest.startsWith('(') && rest.endsWith(')');
  if (isNegative) rest = rest.slice(1, -1).trim();
  const [, sign = '', before = '', digits = '', after = ''] =
    /^([+-]?)\s*([^\d+\-.,()]*?)\s*([+-]?[\d.,].*?|[+-]?\d)\s*([^\d.,()\s]*)$/.exec(rest) ?? [];
  if (digits === '' || (sign !== '' && /^[+-]/.test(digits)) || (before !== '' && after !== '')) return undefined;
  const unit = before === '' ? after : before;
  if (unit !== '' && !UNIT.test(unit)) return undefined;
  const value = ungrouped(sign + digits, decimal);
  if (value === undefined || (isNegative && /^[+-]/.test(sign + digits))) return undefined;
  return { value: isNegative ? -value : value, unit: unit === '' ? undefined : unit };
}

function ungrouped(text: string, decimal: Decimal): number | undefined {
  if ((decimal === '.' ? PLAIN : PLAIN_COMMA).test(text)) return Number(text.replace(',', '.'));
  if (!GROUPED[decimal].test(text)) return undefined;
  const whole = text.replaceAll(decimal === '.' ? /[ ,'’]/g : /[ .'’]/g, '');
  return Number(whole.replace(',', '.'));
}
