/** Numbers for people. */

/** `12,345` */
export const count = (value: number): string => Math.round(value).toLocaleString('en-US');

/** `99.10 %` */
export const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;

/** `0.9912`, `1172`: four digits that count. */
export const fourDigits = (value: number): string => value.toPrecision(4);
