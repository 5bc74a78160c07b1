/** Data sets: readers, splits, mini-batches and the statistics of the training set. Nothing here knows a network. */
export { arrayDataset } from './array-dataset.ts';
export {
  type Augmentation,
  type AugmentationKind,
  augmentationSchema,
  augmented,
  defaultAugmentation,
} from './augment.ts';
export { batchesOf, checkBatchSize, epochBatches } from './batches.ts';
export {
  type Column,
  type ColumnKind,
  type ColumnReference,
  columnReferenceSchema,
  columnSchema,
  referencesOf,
} from '../columns/index.ts';
export {
  classesOf,
  type ClassificationDataset,
  type Dataset,
  joined,
  type RegressionDataset,
  type Samples,
  subset,
} from './dataset.ts';
export { readIdxDataset } from './idx-dataset.ts';
export { parseIdx, readIdx } from './idx.ts';
export { readImageFolder } from './image-folder.ts';
export { fitFills, type Imputation, type Imputations } from './impute.ts';
export type { ColumnSummary } from './inferred.ts';
export { type KnownBlocks, type KnownData, openKnownTable, readKnownTable, type Unknown } from './known-table.ts';
export { loadData, type LoadedData, type LoadOptions, readableFiles } from './load.ts';
export { hasMnistFiles, loadMnist, type MnistSplits } from './mnist.ts';
export { readInputsAlone, readNpyArrays, readNpzArrays } from './arrays.ts';
export { encodeNpy, encodeNpz, type NpyArray, parseNpy, parseNpyOrTexts, parseNpz, readNpy, readNpz } from './npy.ts';
export {
  type DataSource,
  dataSourceSchema,
  type Encoding,
  encodings,
  type ImageOptions,
  type ImageSize,
} from './options.ts';
export { pictureMembers, pictureSchema } from './picture-preparation.ts';
export { createRandom, type Random } from './random.ts';
export { digestOf, type Knowledge, loadSource, sourceName } from './source.ts';
export { classWeights, countLabels, foldsOf, splitDataset, type Splits } from './split.ts';
export { binEdges, robustStatistics } from './quantiles.ts';
export { divisorsOf, inputRanges, inputStatistics, targetStatistics, type InputStatistics } from './statistics.ts';
export { unseenCategories } from './describe-columns.ts';
export { readCells, readTable } from './table-file.ts';
export { type Table, type TableOptions, tableOf } from './table.ts';
export { openText } from './text-table.ts';
export type { TextSource } from './text.ts';
export { type TableFile } from './table-rows.ts';
export { splitTable } from './split-table.ts';
export { sha256 } from './sha256.ts';
