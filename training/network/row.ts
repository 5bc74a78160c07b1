/** Describes the encoding of a table's row: its numbers, bins, one-hot places and embeddings. */
import { at } from '../arrays/index.ts';
import type { Network } from './schema.ts';

export type Row = Pick<Network, 'inputShape' | 'categories' | 'unseen' | 'edges' | 'indicators'> &
  Partial<Pick<Network, 'layers'>>;

/** Returns the columns that hold numbers, not categories. */
export function numericColumns({ inputShape, categories }: Pick<Row, 'inputShape' | 'categories'>): readonly number[] {
  const all = Array.from({ length: at(inputShape, 0) }, (_, column) => column);
  return categories ? all.filter((column) => at(categories, column) === 0) : all;
}

export const countBins = ({ edges = [] }: Row): number =>
  edges.reduce((sum, ofColumn) => sum + Math.max(ofColumn.length - 1, 0), 0);

interface Place {
  readonly column: number;
  readonly category: number;
}

/** Returns a place for each category that training has seen, of each column without an embedding. */
export function oneHotPlaces(row: Row): readonly Place[] {
  const max = dimensionIn(row) ?? Infinity;
  return seenCategories(row).flatMap(({ column, categories }) =>
    categories.length > max ? [] : categories.map((category) => ({ column, category })),
  );
}

export interface Embedding {
  readonly column: number;
  /** The categories that training has seen. */
  readonly categories: readonly number[];
  /** The number of values in the vector of a category. */
  readonly dimension: number;
}

/**
 * Returns the embeddings: those of columns with more categories than the `dimension` of `encodeCategories`. Fewer
 * categories are one-hot, which is not wider.
 */
export function embeddingsOf(row: Row): readonly Embedding[] {
  const dimension = dimensionIn(row);
  if (dimension === undefined) return [];
  return seenCategories(row).flatMap((seen) => (seen.categories.length > dimension ? [{ ...seen, dimension }] : []));
}

function dimensionIn({ layers = [] }: Row): number | undefined {
  const encoder = layers.find((layer) => layer.kind === 'encodeCategories');
  return encoder?.dimension;
}

const seenCategories = ({ categories = [], unseen = [] }: Row) =>
  categories.map((count, column) => {
    const without = new Set(unseen[column]);
    const all = Array.from({ length: count }, (_, category) => category);
    return { column, categories: all.filter((category) => !without.has(category)) };
  });

/**
 * Returns the shape that the first layer after the encodings takes: the numbers of a row, then their bins, then a place
 * for each category of columns without embedding, then the embeddings, then an indicator for each number that may have
 * been missing.
 */
export function encodedShape(row: Row): readonly number[] {
  const { inputShape, categories, indicators = [] } = row;
  const bins = countBins(row);
  if (!categories && bins + indicators.length === 0) return inputShape;
  const embedded = embeddingsOf(row).reduce((sum, { dimension }) => sum + dimension, 0);
  return [numericColumns(row).length + bins + oneHotPlaces(row).length + embedded + indicators.length];
}
