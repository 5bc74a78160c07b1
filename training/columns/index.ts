/**
 * The columns of a table, and how the values of a row become a model's inputs. Training, `evaluate` and the Worker
 * share this code, so nothing here depends on Node or files.
 */
export type {
  CategoricalColumn,
  Column,
  ColumnKind,
  ColumnReference,
  DateColumn,
  DateOrder,
  DatePart,
  NumericColumn,
} from './column.ts';
export { type DateValue, ordersOf, parseDate, readInstant, textOfInstant } from './dates.ts';
export { isMissing, isMissingClass, missingTexts } from './missing.ts';
export { type Decimal, decimalIn, isPlainNumber, parseNumber, unitOf } from './numbers.ts';
export {
  expectationOf,
  type InputColumn,
  inputsOf,
  LARGEST,
  type Reader,
  readerOf,
  rowPreparer,
  widthOf,
} from './prepare.ts';
export { farFinder } from './range.ts';
export { columnCounter, referencesOf } from './reference.ts';
export { columnReferenceSchema, columnSchema } from './schema.ts';
