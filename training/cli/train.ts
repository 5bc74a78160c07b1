/** Trains a network and leaves a run folder: the checkpoint and the metrics of every epoch. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Backend, type BackendName, createBackend } from '../backend/index.ts';
import { type Dataset, type DataSource, type LoadedData, loadSource, sourceName } from '../data/index.ts';
import { unexpected } from '../errors.ts';
import { loadModel, saveModel } from '../model.ts';
import { type Network, type Plan, planNetwork } from '../network/index.ts';
import { type Report, reportOn } from '../objective/index.ts';
import {
  createEvaluator,
  type EpochMetrics,
  type State,
  train,
  type TrainingConfig,
  type TrainingResult,
} from '../trainer/index.ts';
import { chooseNetwork, type NetworkFlags, requireFit } from './choose-network.ts';
import { describeData } from './describe-data.ts';
import { chooseLength, type Length } from './length.ts';
import { openMetricsFile } from './metrics.ts';
import { chooseObjective, type ObjectiveFlags } from './objective.ts';
import { count, formatMetrics, showTraining, summaryTable } from './terminal.ts';

export interface TrainOptions extends NetworkFlags {
  /** A checkpoint to start from. */
  readonly from?: string | undefined;
  readonly backend: BackendName;
  /** What suits the number of samples where epochs or batch size are omitted. */
  readonly config: Omit<TrainingConfig, 'objective' | keyof Length> & Partial<Length>;
  /** What fits the data when omitted. */
  readonly objective?: ObjectiveFlags | undefined;
  readonly threads?: number | undefined;
  readonly spinning?: boolean | undefined;
  /** MNIST when omitted. */
  readonly data?: DataSource | undefined;
  /** The run folder; `runs/<network>` when omitted. */
  readonly out?: string | undefined;
}

type Print = (line: string) => void;

/** @returns the path of the checkpoint */
export async function trainToFolder(
  {
    network,
    hidden,
    from,
    config: settings,
    objective = {},
    backend: backendName,
    threads,
    spinning,
    data: source = {},
    out: folder,
  }: TrainOptions,
  print: Print,
): Promise<string> {
  const data = await loadSource(source, settings.seed);
  const config = {
    ...settings,
    ...chooseLength(settings, data.train.count),
    objective: chooseObjective(objective, data.train),
  };
  const choose = () => chooseNetwork({ network, hidden }, source, data, config.objective);
  const { plan, tensors } =
    from === undefined
      ? { plan: planNetwork(await choose()), tensors: undefined }
      : await startFrom(from, network === undefined && !hidden ? undefined : await choose());
  requireFit(plan, data, config.objective);
  const out = folder ?? join('runs', plan.network.name);
  const backend = await createBackend(backendName, { threads, spinning }, print);
  describeRun(plan, source, data, config, backend, print);
  await mkdir(out, { recursive: true });
  const result = await trainVisibly({ plan, tensors }, data, config, backend, join(out, 'metrics.jsonl'), print);
  const report = await testReport(backend, plan, result.tensors, data.test);
  print(`test ${formatMetrics(report)} with ${config.statistics ?? 'running'} statistics`);
  const path = join(out, 'checkpoint.safetensors');
  await save(path, plan, source, data, config, backend, result);
  print(`saved ${path}`);
  return path;
}

interface StartingPoint {
  readonly plan: Plan;
  readonly tensors: State | undefined;
}

async function startFrom(checkpoint: string, network: Network | undefined): Promise<StartingPoint> {
  const model = await loadModel(checkpoint, network);
  const { name } = model.plan.network;
  if (network && name !== network.name)
    throw unexpected(checkpoint, `a checkpoint of ${network.name}`, `one of ${name}`);
  return model;
}

function describeRun(
  plan: Plan,
  source: DataSource,
  { train, validation, test, columns }: LoadedData,
  config: TrainingConfig,
  backend: Backend,
  print: Print,
) {
  const [name, of] = [plan.network.name, sourceName(source)];
  print(
    `${name === of ? name : `${name} on ${of}`}: ${count(train.count)} train, ${count(validation.count)} validation, ${count(test.count)} test`,
  );
  for (const line of describeData(train, columns)) print(line);
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
  data: LoadedData,
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
  source: DataSource,
  data: LoadedData,
  config: TrainingConfig,
  backend: Backend,
  result: TrainingResult,
) {
  const { train, validation, test, columns } = data;
  const parts = { train: train.count, validation: validation.count, test: test.count };
  await saveModel(path, {
    plan,
    tensors: result.tensors,
    classes: train.task === 'classification' ? train.classes : [],
    ...(columns && { columns }),
    record: {
      data: { name: sourceName(source), ...(source.path !== undefined && { source }), ...parts },
      config,
      engine: backend.engine,
      steps: result.steps,
      // Speed differs from run to run; a checkpoint must not.
      history: result.history.map(({ epoch, train, validation }) => ({ epoch, train, validation })),
    },
  });
}
