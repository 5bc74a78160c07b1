/** Formats numbers for people. */

/** Formats a count: `12,345`. */
export const count = (value: number): string => Math.round(value).toLocaleString('en-US');

/** Formats a share as a percentage: `99.10 %`. */
export const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;

/** Returns the shortest decimal that reads back as the same 32-bit float: 0.9, not 0.8999999761581421. */
export function shortestFloat(value: number): number {
  const float = Math.fround(value);
  const short = [6, 7, 8, 9].map((digits) => Number(value.toPrecision(digits)));
  return short.find((candidate) => Math.fround(candidate) === float) ?? value;
}

/** Numbers from this size on are written with a power of ten. */
const GREAT = 1e15;

/**
 * Formats a number with four significant digits, or with all digits before the point where there are more: `0.9912`,
 * `1172`, `12,346`.
 */
export function fourDigits(value: number): string {
  const size = Math.abs(value);
  return size >= 9999.5 && size < GREAT ? count(value) : value.toPrecision(4);
}
