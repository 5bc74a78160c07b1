/** Trains a named network on MNIST and leaves a run folder: the checkpoint and the metrics of every epoch. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Backend, type BackendName, createBackend } from '../backend/index.ts';
import { type Dataset, loadMnist, type MnistSplits } from '../data/index.ts';
import { unexpected } from '../errors.ts';
import { loadModel, saveModel } from '../model.ts';
import { type Plan, planNetwork } from '../network/index.ts';
import { type Report, reportOn } from '../objective/index.ts';
import {
  createEvaluator,
  type EpochMetrics,
  type State,
  train,
  type TrainingConfig,
  type TrainingResult,
} from '../trainer/index.ts';
import { findNetwork } from './network.ts';
import { openMetricsFile } from './metrics.ts';
import { chooseObjective, type ObjectiveFlags } from './objective.ts';
import { count, formatMetrics, showTraining, summaryTable } from './terminal.ts';

export interface TrainOptions {
  /** A name or a file; when omitted, the checkpoint's network, or else `mnist-cnn`. */
  readonly network?: string | undefined;
  /** A checkpoint to start from. */
  readonly from?: string | undefined;
  readonly backend: BackendName;
  readonly config: Omit<TrainingConfig, 'objective'>;
  /** What fits the data when omitted. */
  readonly objective?: ObjectiveFlags | undefined;
  readonly threads?: number | undefined;
  readonly spinning?: boolean | undefined;
  /** A folder with MNIST's four IDX files, in place of the package's. */
  readonly data?: string | undefined;
  /** The run folder; `runs/<network>` when omitted. */
  readonly out?: string | undefined;
}

type Print = (line: string) => void;

/** @returns the path of the checkpoint */
export async function trainToFolder(
  {
    network,
    from,
    config: settings,
    objective = {},
    backend: backendName,
    threads,
    spinning,
    data: directory,
    out: folder,
  }: TrainOptions,
  print: Print,
): Promise<string> {
  const { plan, tensors } = await startingPoint(network, from);
  const out = folder ?? join('runs', plan.network.name);
  const data = await loadMnist({ seed: settings.seed, directory });
  const config = { ...settings, objective: chooseObjective(objective, data.train) };
  const backend = await createBackend(backendName, { threads, spinning }, print);
  describeRun(plan, data, config, backend, print);
  await mkdir(out, { recursive: true });
  const result = await trainVisibly({ plan, tensors }, data, config, backend, join(out, 'metrics.jsonl'), print);
  const report = await testReport(backend, plan, result.tensors, data.test);
  print(`test ${formatMetrics(report)} with ${config.statistics ?? 'running'} statistics`);
  const path = join(out, 'checkpoint.safetensors');
  await save(path, plan, data, config, backend, result);
  print(`saved ${path}`);
  return path;
}

interface StartingPoint {
  readonly plan: Plan;
  readonly tensors: State | undefined;
}

async function startingPoint(choice: string | undefined, from: string | undefined): Promise<StartingPoint> {
  if (from === undefined) return { plan: planNetwork(await findNetwork(choice ?? 'mnist-cnn')), tensors: undefined };
  const network = choice === undefined ? undefined : await findNetwork(choice);
  const model = await loadModel(from, network);
  const { name } = model.plan.network;
  if (network && name !== network.name) throw unexpected(from, `a checkpoint of ${network.name}`, `one of ${name}`);
  return model;
}

function describeRun(
  plan: Plan,
  { train, validation, test }: MnistSplits,
  config: TrainingConfig,
  backend: Backend,
  print: Print,
) {
  const { name } = plan.network;
  print(
    `${name} on MNIST: ${count(train.count)} train, ${count(validation.count)} validation, ${count(test.count)} test`,
  );
  print(summaryTable(plan));
  const { objective, optimizer, learningRate, schedule, batchSize, bnMomentum, freezeBn, seed } = config;
  const statistics = freezeBn ? 'frozen' : `with momentum ${bnMomentum}`;
  print(
    `${objective?.kind ?? 'multiclass'}, ${optimizer}, learning rate ${learningRate} (${schedule}), batch ${batchSize}, running statistics ${statistics}, seed ${seed}`,
  );
  print(backend.engine);
}

async function trainVisibly(
  { plan, tensors }: StartingPoint,
  data: MnistSplits,
  config: TrainingConfig,
  backend: Backend,
  metricsPath: string,
  print: Print,
): Promise<TrainingResult> {
  const record = openMetricsFile(metricsPath);
  const samplesPerEpoch = Math.floor(data.train.count / config.batchSize) * config.batchSize;
  const screen = showTraining(config.epochs, samplesPerEpoch, print);
  const onEpoch = (metrics: EpochMetrics) => {
    record(metrics);
    screen.onEpoch(metrics);
  };
  return train(plan, data, config, backend, { onProgress: screen.onProgress, onEpoch }, tensors);
}

async function testReport(backend: Backend, plan: Plan, tensors: State, test: Dataset): Promise<Report> {
  const evaluator = await createEvaluator(backend, plan);
  const output = await evaluator.logits(tensors, test);
  await evaluator.release();
  return reportOn(test, output);
}

async function save(
  path: string,
  plan: Plan,
  data: MnistSplits,
  config: TrainingConfig,
  backend: Backend,
  result: TrainingResult,
) {
  const { train, validation, test } = data;
  await saveModel(path, {
    plan,
    tensors: result.tensors,
    classes: train.classes,
    record: {
      data: { name: 'MNIST', train: train.count, validation: validation.count, test: test.count },
      config,
      engine: backend.engine,
      steps: result.steps,
      // Speed differs from run to run; a checkpoint must not.
      history: result.history.map(({ epoch, train, validation }) => ({ epoch, train, validation })),
    },
  });
}
