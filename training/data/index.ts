/** Data: readers, splits, mini-batches and the statistics of the training set. Nothing here knows a network. */
export { epochBatches } from './batches.ts';
export {
  elementCount,
  subset,
  type ClassificationDataset,
  type Dataset,
  type RegressionDataset,
  type Samples,
} from './dataset.ts';
export type { CategoricalColumn, Column, ColumnKind, NumericColumn } from './columns.ts';
export { parseIdx, readIdx, type IdxArray } from './idx.ts';
export { readIdxDataset } from './idx-dataset.ts';
export { loadMnist, type MnistOptions } from './mnist.ts';
export { createRandom, type Random } from './random.ts';
export { classWeights, countLabels, splitDataset, type SplitSizes, type Splits } from './split.ts';
export { inputStatistics, type InputStatistics } from './statistics.ts';
export { readTable, type Table, type TableOptions } from './table.ts';
export { fillMissing, fitFills, type Imputation } from './impute.ts';
export { arrayDataset } from './array-dataset.ts';
export { parseNpy, readNpy, readNpz, type NpyArray } from './npy.ts';
export { readImageFolder, type ImageFolderOptions, type ImageSize } from './image-folder.ts';
