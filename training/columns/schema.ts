/** The columns of a table as a model knows them: plain data, kept in its checkpoint and its card. */
import * as z from 'zod';
import { dateOrders, dateParts } from './dates.ts';

const named = {
  name: z.string(),
};

/** What is given in place of a missing value, and how it was found; `category` is a place of its own. */
const imputed = z.enum(['mean', 'median', 'most-frequent', 'value', 'category']).exactOptional();

const gaps = {
  missing: imputed,
  /** Whether the model is told beside the fill that the value was missing. */
  indicator: z.literal(true).exactOptional(),
  /** Whether a text that is none of the column's is a missing value. */
  othersMissing: z.literal(true).exactOptional(),
};

/** A number. */
const numericColumn = z.strictObject({
  kind: z.literal('numeric'),
  ...named,
  /** Stands in for a missing number; null where none may be missing. */
  fill: z.number().nullable(),
  ...gaps,
  /** The sign beside the numbers of the file, such as `$` or `%`. */
  unit: z.string().exactOptional(),
});

/** A text of a closed set, which enters as its index in `categories`. */
const categoricalColumn = z.strictObject({
  kind: z.literal('categorical'),
  ...named,
  categories: z.array(z.string()).readonly(),
  /** Stands in for a missing category, by its index, which is one more than the last for a place of its own; null where none may be missing. */
  fill: z.int().nonnegative().nullable(),
  missing: imputed,
});

/** A date or a time, which enters as its year and as points on circles. */
const dateColumn = z.strictObject({
  kind: z.literal('date'),
  ...named,
  parts: z.array(z.enum(dateParts)).min(1).readonly(),
  order: z.enum(dateOrders),
  /** The first and the last year of training: those before and after count as these. */
  years: z.tuple([z.int(), z.int()]).readonly(),
  /** The year that stands in for a missing date, whose points are then the circles' middles; null where none may be missing. */
  fill: z.number().nullable(),
  ...gaps,
});

export const columnSchema = z.discriminatedUnion('kind', [
  numericColumn.readonly(),
  categoricalColumn.readonly(),
  dateColumn.readonly(),
]);

export type Column = z.output<typeof columnSchema>;
export type ColumnKind = Column['kind'];
export type NumericColumn = Extract<Column, { readonly kind: 'numeric' }>;
export type CategoricalColumn = Extract<Column, { readonly kind: 'categorical' }>;
export type DateColumn = Extract<Column, { readonly kind: 'date' }>;
