/**
 * The default network and length of training for tables: members of one network after an encoding by bins, larger where
 * there are enough rows. It was chosen on 18 of 38 tables and compared with trees of four libraries:
 * docs/decisions/0023-members-share-their-matrices.md.
 */
import { defaultBins } from '../network/index.ts';

/** The shape of a network of members. */
export interface Recipe {
  readonly widths: readonly number[];
  readonly members: number;
  /** Is true where the members branch after the first dense layer. */
  readonly isLate: boolean;
}

/** The length of training. */
export interface Effort {
  /** The minimum number of steps, which is rounded up to whole epochs. */
  readonly steps: number;
  readonly maxEpochs: number;
  readonly batchSize: number;
}

/** The number of rows from which a larger network pays. */
const manyRows = 12_000;
/** The number of inputs from which the first layer's product takes most of the time, so that the members share it. */
const manyInputs = 1000;
/** The number of classes from which a narrow layer cannot tell them apart. */
const manyClasses = 16;

const small: Recipe = { widths: [64, 32], members: 16, isLate: false };
const large: Recipe = { widths: [128, 64], members: 8, isLate: false };
const wide: Recipe = { widths: [256, 128], members: 4, isLate: false };
const late: Recipe = { ...small, isLate: true };

/** The default effort: enough for MNIST's three epochs, and to see small data often. */
export const defaultEffort: Effort = { steps: 2500, maxEpochs: 100, batchSize: 64 };
const largeEffort: Effort = { steps: 5000, maxEpochs: 200, batchSize: 128 };

/** @param inputs of the first layer */
export function recipeFor(rows: number, inputs: number, classes: number): Recipe {
  if (inputs >= manyInputs) return late;
  if (rows < manyRows) return small;
  return classes >= manyClasses ? wide : large;
}

/** @param rows of a table; 0 for other data */
export const effortFor = (rows: number): Effort => (rows >= manyRows ? largeEffort : defaultEffort);

/** The maximum number of bins for all numbers of a row together: rows with more numbers get no bins. */
const maxNumbers = 384;

/** @param numbers of a row */
export const binsFor = (numbers: number): number => (numbers > maxNumbers ? 0 : defaultBins);
