/** The schemas of a table's columns in a checkpoint and a card. column.ts explains the members. */
import * as z from 'zod';
import type { Column, Imputed } from './column.ts';
import { dateOrders, dateParts } from './dates.ts';

const imputed = ['mean', 'median', 'most-frequent', 'value', 'category'] as const satisfies readonly Imputed[];

const named = { name: z.string(), missing: z.enum(imputed).exactOptional() };

const gaps = { indicator: z.literal(true).exactOptional(), othersMissing: z.literal(true).exactOptional() };

const numericColumn = z.strictObject({
  kind: z.literal('numeric'),
  ...named,
  range: z.tuple([z.number(), z.number()]).readonly().exactOptional(),
  typical: z.number().exactOptional(),
  fill: z.number().nullable(),
  ...gaps,
  unit: z.string().exactOptional(),
});

const categoricalColumn = z.strictObject({
  kind: z.literal('categorical'),
  ...named,
  categories: z.array(z.string()).readonly(),
  typical: z.string().exactOptional(),
  fill: z.int().nonnegative().nullable(),
});

const share = z.number().min(0).max(1);

export const columnReferenceSchema = z.strictObject({
  name: z.string(),
  samples: z.int().positive(),
  missing: share,
  edges: z.array(z.number()).readonly().exactOptional(),
  shares: z.array(share).readonly(),
});

const dateColumn = z.strictObject({
  kind: z.literal('date'),
  ...named,
  parts: z.array(z.enum(dateParts)).min(1).readonly(),
  order: z.enum(dateOrders),
  years: z.tuple([z.int(), z.int()]).readonly(),
  range: z.tuple([z.string(), z.string()]).readonly().exactOptional(),
  typical: z.string().exactOptional(),
  fill: z.number().nullable(),
  ...gaps,
});

export const columnSchema = z.discriminatedUnion('kind', [
  numericColumn.readonly(),
  categoricalColumn.readonly(),
  dateColumn.readonly(),
]) satisfies z.ZodType<Column>;
