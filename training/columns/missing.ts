/** Cells that hold nothing: what spreadsheets, R, pandas, databases and the UCI repository write. */

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

/** As a class these are words like any other, as a measurement they are none. */
const NO_VALUE = [
  ['None', '-', '--', '—', '–', '.', '..', '...', 'undefined', '1.#IND', '-1.#IND', '1.#QNAN', '-1.#QNAN'],
  ['inf', '-inf', '+inf', 'Inf', '-Inf', '+Inf', 'INF', '-INF', 'Infinity', '-Infinity', '+Infinity', '∞', '-∞'],
].flat();

/** All of them. */
export const missingTexts: readonly string[] = [...NOTHING, ...NO_VALUE];

const missing = new Set(missingTexts);
const missingLabels = new Set(NOTHING);

/** Whether a cell, without spaces around it, holds no value. */
export const isMissing = (text: string): boolean => missing.has(text);

/** The same of what is to be predicted, where `None` and `-` may be classes. */
export const isMissingClass = (text: string): boolean => missingLabels.has(text);
