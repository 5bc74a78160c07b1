/**
 * What a table is trained with where nobody says: members of one network behind bins, larger where there are rows to fill it. Chosen on
 * 18 of 38 tables and held against trees of four libraries: docs/decisions/0023-members-share-their-matrices.md.
 */

import { usualBins } from '../network/index.ts';

/** The shape of a network of members. */
export interface Recipe {
  readonly widths: readonly number[];
  readonly members: number;
  /** Whether the members part behind the first dense layer. */
  readonly isLate: boolean;
}

/** How long training goes. */
export interface Effort {
  /** Until all steps are taken, in whole epochs. */
  readonly steps: number;
  readonly maxEpochs: number;
  readonly batchSize: number;
}

/** From so many rows on there is something to fill a larger network with. */
const manyRows = 12_000;
/** From so many inputs of the first layer on its product takes most of the time, and the members share it. */
const manyInputs = 1000;
/** From so many classes on a narrow layer has not enough places to tell them apart. */
const manyClasses = 16;

const small: Recipe = { widths: [64, 32], members: 16, isLate: false };
const large: Recipe = { widths: [128, 64], members: 8, isLate: false };
const wide: Recipe = { widths: [256, 128], members: 4, isLate: false };
const late: Recipe = { ...small, isLate: true };

/** Enough for MNIST's three epochs, and for small data to be seen often. */
export const usualEffort: Effort = { steps: 2500, maxEpochs: 100, batchSize: 64 };
const largeEffort: Effort = { steps: 5000, maxEpochs: 200, batchSize: 128 };

/** @param inputs of the first layer */
export function recipeFor(rows: number, inputs: number, classes: number): Recipe {
  if (inputs >= manyInputs) return late;
  if (rows < manyRows) return small;
  return classes >= manyClasses ? wide : large;
}

/** @param rows of a table; none for other data */
export const effortFor = (rows: number): Effort => (rows >= manyRows ? largeEffort : usualEffort);

/** So many bins there are for all numbers of a row: of more numbers none is cut. */
const maxCut = 384;

/** @param numbers of a row */
export const binsFor = (numbers: number): number => (numbers > maxCut ? 0 : usualBins);
