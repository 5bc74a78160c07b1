/** Texts that stand for a missing value in spreadsheets, R, pandas, databases and the UCI repository. */

const NOTHING = [
  ['', '?', 'NA', 'N/A', 'n/a', 'na', 'NaN', 'nan', '-NaN', '-nan', 'NaT', 'null', 'NULL', 'Null', 'NIL', 'nil'],
  [
    '#N/A',
    '#N/A N/A',
    '#NA',
    '<NA>',
    '<na>',
    '(null)',
    '\\N',
    '#DIV/0!',
    '#VALUE!',
    '#REF!',
    '#NUM!',
    '#NAME?',
    '#NULL!',
  ],
].flat();

/** Texts that are words like any other among classes, but missing values among measurements. */
const NO_VALUE = [
  ['None', '-', '--', '—', '–', '.', '..', '...', 'undefined', '1.#IND', '-1.#IND', '1.#QNAN', '-1.#QNAN'],
  ['inf', '-inf', '+inf', 'Inf', '-Inf', '+Inf', 'INF', '-INF', 'Infinity', '-Infinity', '+Infinity', '∞', '-∞'],
].flat();

export const missingTexts: readonly string[] = [...NOTHING, ...NO_VALUE];

const missing = new Set(missingTexts);
const missingLabels = new Set(NOTHING);

/** Is true where a cell, trimmed of spaces, holds no value. */
export const isMissing = (text: string): boolean => missing.has(text);

/** Is true where a cell of a label of classes holds no value: there `None` and `-` may be classes. */
export const isMissingClass = (text: string): boolean => missingLabels.has(text);
