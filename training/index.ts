/**
 * Data, networks and training, for programs. What takes long to load is loaded by the function that needs it, so that to import
 * a layer costs nothing.
 */
import type { BackendName } from './backend/index.ts';
import type { RunReporter, TrainedRun, TrainOptions as RunOptions } from './run/index.ts';

export type { Backend, BackendName } from './backend/index.ts';
export {
  type ClassificationDataset,
  type Column,
  type ColumnKind,
  type Dataset,
  type DataSource,
  type ImageSize,
  type Imputation,
  loadData,
  type LoadedData,
  loadMnist,
  type LoadOptions,
  loadSource,
  readIdx,
  readImageFolder,
  readNpy,
  readNpz,
  readTable,
  type RegressionDataset,
  type Samples,
  splitDataset,
  type Splits,
  type TableOptions,
} from './data/index.ts';
export { UserError } from './files/index.ts';
export {
  averagePool,
  batchNorm,
  conv2d,
  dense,
  denseNetwork,
  dropout,
  flatten,
  gelu,
  globalAveragePool,
  imageNetwork,
  type InputNormalization,
  type Layer,
  type LayerKind,
  layerNorm,
  type LayerOf,
  leakyRelu,
  maxPool,
  type Network,
  type NetworkName,
  networks,
  parseNetwork,
  relu,
  residual,
  sigmoid,
  softmax,
  tanh,
} from './network/index.ts';
export { binary, huber, mse, multiclass, type Objective, type Report } from './objective/index.ts';
export type { OptimizerName, ScheduleName } from './optimizer/index.ts';
export type { RunReporter, RunStart, TrainedRun } from './run/index.ts';
export type { EpochMetrics, TrainingConfig, TrainingProgress } from './trainer/index.ts';

/** As on the command line, everything is optional but what the data need to be read. */
export interface TrainOptions extends Omit<RunOptions, 'backend' | 'config'> {
  /** Where the graph runs; `native` when omitted. */
  readonly backend?: BackendName | undefined;
  readonly config?: Partial<RunOptions['config']> | undefined;
}

/**
 * Trains a network and leaves a run folder, as `bn-edge train` does.
 *
 * @throws UserError for data, a network or settings that do not fit each other
 */
export async function train(
  { backend = 'native', config, ...options }: TrainOptions,
  reporter?: RunReporter,
): Promise<TrainedRun> {
  const { trainingDefaults, trainToFolder } = await import('./run/index.ts');
  return trainToFolder({ ...options, backend, config: { ...trainingDefaults, ...config } }, reporter);
}
