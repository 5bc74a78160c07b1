/**
 * The columns of a table, and how a row's values become the numbers that a model takes: the same in training, in `evaluate` and in a
 * Worker, which is why nothing here knows Node or files.
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
export { dateParts, type DateValue, ordersOf, parseDate, readInstant, textOfInstant } from './dates.ts';
export { isMissing, isMissingClass, missingTexts } from './missing.ts';
export { type Decimal, decimalIn, isPlainNumber, parseNumber, unitOf } from './numbers.ts';
export {
  type Complaint,
  expectationOf,
  type InputColumn,
  inputsOf,
  LARGEST,
  type Objection,
  type Reader,
  readerOf,
  type RowPreparer,
  rowPreparer,
  widthOf,
} from './prepare.ts';
export { farFinder } from './range.ts';
export { type ColumnCounter, columnCounter, type ColumnCounts, referencesOf } from './reference.ts';
export { columnReferenceSchema, columnSchema } from './schema.ts';
