/** Trains a network, visibly, and leaves a run folder. */
import { join } from 'node:path';
import { type Backend, type BackendName, createBackend } from '../backend/index.ts';
import { type Dataset, type DataSource, digestOf, type LoadedData, loadSource, sourceName } from '../data/index.ts';
import { unexpected } from '../files/errors.ts';
import { loadModel } from '../checkpoint/model.ts';
import { type Network, type Plan, planNetwork } from '../network/index.ts';
import { type Report, reportOn } from '../objective/index.ts';
import {
  createEvaluator,
  type State,
  train,
  type TrainingConfig,
  type TrainingEvents,
  type TrainingResult,
  type TrainingStart,
} from '../trainer/index.ts';
import { chooseNetwork, type NetworkFlags, requireFit } from './choose-network.ts';
import { describeData } from '../../exporter/command/describe-data.ts';
import { Interrupted, interruption } from './interruption.ts';
import { chooseLength, type Length } from './length.ts';
import { chooseObjective, type ObjectiveFlags } from './objective.ts';
import { type Run, RunFolder } from './run-folder.ts';
import { count, formatMetrics, showTraining, summaryTable } from '../../exporter/command/terminal.ts';
import { versions } from './versions.ts';

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
  /** Goes on with the run in the folder, where one has begun. */
  readonly resume?: boolean | undefined;
  /** Of the command line, for the record. */
  readonly arguments?: readonly string[] | undefined;
}

type Print = (line: string) => void;

/**
 * @returns the path of the checkpoint
 * @throws Interrupted after Ctrl-C or SIGTERM, when the run is saved
 */
export async function trainToFolder(options: TrainOptions, print: Print): Promise<string> {
  const { source, data, run, backend, tensors } = await prepare(options, print);
  const { plan, description } = run;
  describeRun(plan, source, data, description.config, backend, print);
  using stop = interruption();
  const folder = new RunFolder(options.out ?? join('runs', plan.network.name), run);
  const start = (options.resume ? await goOn(folder, run, print) : undefined) ?? { tensors };
  if (!start.snapshot) await folder.begin();
  await folder.describe({ arguments: options.arguments, ...description, versions: await versions(backend) });
  const events = await folder.record(start.snapshot);
  const result = await trainVisibly(run, data, backend, events, { ...start, signal: stop.signal }, print);
  if (result.interrupted) {
    const command = `npm run train -- --resume --out ${folder.path}`;
    throw new Interrupted(stop.signal, `stopped after step ${result.steps}, all is saved; to go on: ${command}`);
  }
  const report = await testReport(backend, plan, result.tensors, data.test);
  print(`test ${formatMetrics(report)} with ${description.config.statistics ?? 'running'} statistics`);
  const path = await folder.finish(result.tensors, result);
  print(`saved ${path}`);
  if (!stop.signal.aborted) await folder.draw(result.history);
  return path;
}

async function prepare(
  {
    network,
    hidden,
    from,
    config: settings,
    objective = {},
    backend: name,
    data: source = {},
    ...options
  }: TrainOptions,
  print: Print,
) {
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
  const backend = await createBackend(name, options, print);
  return { source, data, run: runOf(plan, source, data, config, backend), backend, tensors };
}

function runOf(plan: Plan, source: DataSource, data: LoadedData, config: TrainingConfig, { engine }: Backend): Run {
  const { train, validation, test, columns } = data;
  const parts = { train: train.count, validation: validation.count, test: test.count };
  return {
    plan,
    description: {
      network: plan.network,
      data: { name: sourceName(source), ...(source.path !== undefined && { source }), ...parts },
      sha256: digestOf(train, validation),
      config,
    },
    engine,
    classes: train.task === 'classification' ? train.classes : [],
    ...(columns && { columns }),
    stepsPerEpoch: Math.floor(train.count / config.batchSize),
  };
}

async function goOn(
  folder: RunFolder,
  { engine, stepsPerEpoch }: Run,
  print: Print,
): Promise<TrainingStart | undefined> {
  const stored = await folder.stored();
  if (!stored) {
    print(`no run has begun in ${folder.path} yet: this one begins`);
    return undefined;
  }
  const { steps } = stored.snapshot;
  print(`going on after step ${steps} (epoch ${(steps / stepsPerEpoch).toFixed(2)})`);
  if (stored.engine !== engine)
    print(`the run was begun with ${stored.engine}: the last bits may differ from there on`);
  return { snapshot: stored.snapshot };
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
  { plan, description: { config } }: Run,
  data: LoadedData,
  backend: Backend,
  events: Required<TrainingEvents>,
  start: TrainingStart,
  print: Print,
): Promise<TrainingResult> {
  const samplesPerEpoch = Math.floor(data.train.count / config.batchSize) * config.batchSize;
  const screen = showTraining(config.epochs, samplesPerEpoch, print);
  const both: TrainingEvents = {
    onProgress: (progress) => {
      events.onProgress(progress);
      screen.onProgress(progress);
    },
    onEpoch: (metrics) => {
      events.onEpoch(metrics);
      screen.onEpoch(metrics);
    },
    onSnapshot: events.onSnapshot,
  };
  // A process that ends at once gives the terminal its cursor back, too.
  process.once('exit', screen.stop);
  try {
    return await train(plan, data, config, backend, both, start);
  } finally {
    process.off('exit', screen.stop);
    screen.stop();
  }
}

async function testReport(backend: Backend, plan: Plan, tensors: State, test: Dataset): Promise<Report> {
  const evaluator = await createEvaluator(backend, plan);
  const output = await evaluator.logits(tensors, test);
  await evaluator.release();
  return reportOn(test, output);
}
