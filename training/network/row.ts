/** What a row of a table becomes before the other layers: which numbers, bins, places of categories and embeddings it has. */
import type { Network } from './schema.ts';

export type Row = Pick<Network, 'inputShape' | 'categories' | 'unseen' | 'edges' | 'indicators'> &
  Partial<Pick<Network, 'layers'>>;

/** The columns that hold numbers, and not categories. */
export function numbersOf({ inputShape: [columns = 0], categories }: Pick<Row, 'inputShape' | 'categories'>) {
  return Array.from({ length: columns }, (_, column) => column).filter((column) => (categories?.[column] ?? 0) === 0);
}

export const binsIn = ({ edges = [] }: Row): number =>
  edges.reduce((sum, ofColumn) => sum + Math.max(ofColumn.length - 1, 0), 0);

interface Place {
  readonly column: number;
  readonly category: number;
}

/** A place for each category that training has seen, of each column without an embedding. */
export function placesOf(row: Row): readonly Place[] {
  const most = dimensionIn(row) ?? Infinity;
  return seenIn(row).flatMap(({ column, categories }) =>
    categories.length > most ? [] : categories.map((category) => ({ column, category })),
  );
}

export interface Embedding {
  readonly column: number;
  /** Those that training has seen. */
  readonly categories: readonly number[];
  /** How many numbers stand for each. */
  readonly dimension: number;
}

/** Of each column with more categories than `encodeCategories` gives numbers for one: others lose nothing by places. */
export function embeddingsOf(row: Row): readonly Embedding[] {
  const dimension = dimensionIn(row);
  if (dimension === undefined) return [];
  return seenIn(row).flatMap((seen) => (seen.categories.length > dimension ? [{ ...seen, dimension }] : []));
}

function dimensionIn({ layers = [] }: Row): number | undefined {
  const encoder = layers.find((layer) => layer.kind === 'encodeCategories');
  return encoder?.dimension;
}

const seenIn = ({ categories = [], unseen = [] }: Row) =>
  categories.map((count, column) => {
    const without = new Set(unseen[column]);
    const all = Array.from({ length: count }, (_, category) => category);
    return { column, categories: all.filter((category) => !without.has(category)) };
  });

/**
 * What the first layer behind the encodings takes: the numbers of a row, then their bins, then a place for each category of its other
 * columns, then their embeddings, then a place for each number of which it is told whether it was missing.
 */
export function encodedShape(row: Row): readonly number[] {
  const { inputShape, categories, indicators = [] } = row;
  const bins = binsIn(row);
  if (!categories && bins + indicators.length === 0) return inputShape;
  const embedded = embeddingsOf(row).reduce((sum, { dimension }) => sum + dimension, 0);
  return [numbersOf(row).length + bins + placesOf(row).length + embedded + indicators.length];
}
