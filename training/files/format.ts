/** Numbers for people. */

/** `12,345` */
export const count = (value: number): string => Math.round(value).toLocaleString('en-US');

/** `99.10 %` */
export const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;

/** The shortest decimal that reads back as the same 32-bit float: 0.9, not 0.8999999761581421. */
export function shortestFloat(value: number): number {
  const float = Math.fround(value);
  const short = [6, 7, 8, 9].map((digits) => Number(value.toPrecision(digits)));
  return short.find((candidate) => Math.fround(candidate) === float) ?? value;
}

/** `0.9912`, `1172`: four digits that count. */
export const fourDigits = (value: number): string => value.toPrecision(4);
