/** Prepares a run: reads its data, and chooses its settings, its network and its backend. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Backend, createBackend } from '../backend/index.ts';
import { loadModel, type TrainedModel } from '../checkpoint/index.ts';
import {
  batchesOf,
  classesOf,
  type Dataset,
  type DataSource,
  digestOf,
  type LoadedData,
  loadSource,
  sourceName,
} from '../data/index.ts';
import { quote, unexpected } from '../files/index.ts';
import { type Network, type Plan, planNetwork } from '../network/index.ts';
import type { Objective } from '../objective/index.ts';
import { describeSteps, type State, stepRecord } from '../trainer/index.ts';
import { chooseFolder } from './choose-folder.ts';
import { chooseNetwork, requireFit, sizeOf } from './choose-network.ts';
import { chooseFolds } from './choose-folds.ts';
import { chooseObjective, notesOnRarity } from './objective.ts';
import type { TrainOptions } from './options.ts';
import { effortFor } from './recipe.ts';
import type { RunReporter } from './reporter.ts';
import { type Run, trialFile } from './run-folder.ts';
import { notesOnScaling } from './scaling.ts';
import { chooseAugmentation, chooseLength } from './settings.ts';
import { type RunConfig, storedSteps } from './snapshot-file.ts';
import { backendAsBefore, backendAsMeasured, noteOnEngine, noteOnThreads, type Steps } from './measure-steppers.ts';

/** The network that a run starts from. */
interface Start {
  readonly plan: Plan;
  /** Returns the same network, or one of the same kind for data with this training part. */
  readonly planFor: (train: Dataset) => Promise<Plan>;
  /** The tensors to start from, instead of fresh ones. */
  readonly tensors: State | undefined;
}

/** A run that can begin. */
export interface Prepared extends Pick<Start, 'planFor' | 'tensors'> {
  readonly source: DataSource;
  /** The number of folds of the search for the length of training, as `chooseFolds` returns it. */
  readonly folds: number;
  readonly data: LoadedData;
  readonly run: Run;
  readonly backend: Backend;
}

/** @throws UserError for options, data and networks that do not fit each other */
export async function prepare(options: TrainOptions, { note, onStage }: RunReporter): Promise<Prepared> {
  const { data: source, folds: askedFolds, refit, from, threads, spinning, stepper } = options;
  onStage(`read ${source.path ?? sourceName(source)}`);
  const data = await loadSource(source, options.config.seed);
  requireClasses(source.path ?? sourceName(source), data);
  for (const line of data.notes ?? []) note(line);
  const config = chooseConfig(options, data);
  const folds = chooseFolds({ folds: askedFolds, refit, from, config }, data, note);
  if (folds === 0) requireValidation(config, data.validation.count);
  const { plan, planFor, tensors, batches } = await chooseStart(options, data, config.objective);
  requireFit(plan, data, config.objective);
  if (!tensors) for (const line of notesOnScaling(data, plan.network, source.label)) note(line);
  for (const line of notesOnRarity(config.objective, data.train)) note(line);
  const asked = await createBackend(options.backend, { threads, spinning, stepper }, note);
  const backend = await backendFor(options, { plan, train: data.train, config }, asked, { note, onStage });
  const run = runOf(plan, source, data, withSeenBatches(config, batches), backend);
  noteOnThreads(run.steps, note);
  return { source, folds, data, run, backend, tensors, planFor };
}

const chooseConfig = ({ config, objective = {}, augment }: TrainOptions, data: LoadedData): RunConfig => ({
  ...config,
  ...chooseLength(config, data.train.count, effortFor(data.columns ? sizeOf(data) : 0)),
  objective: chooseObjective(objective, data.train),
  ...(augment && { augment: chooseAugmentation(augment, data) }),
});

/**
 * Returns a new network for the data, or the one of the checkpoint to start from.
 *
 * @returns `batches` counts the mini-batches that the running statistics have seen
 */
async function chooseStart(
  { network, hidden, members, bins, from, data: source }: TrainOptions,
  data: LoadedData,
  objective: Objective,
): Promise<Start & { readonly batches: number }> {
  if (from !== undefined && (members ?? bins) !== undefined) {
    throw unexpected(members === undefined ? '--bins' : '--members', 'no --from beside it, which has a network', from);
  }
  const choose = (train: Dataset) =>
    chooseNetwork({ network, hidden, members, bins }, source, { ...data, train }, objective);
  if (from === undefined) {
    const planFor = async (train: Dataset) => planNetwork(await choose(train));
    return { plan: await planFor(data.train), planFor, tensors: undefined, batches: 0 };
  }
  const described = network === undefined && !hidden ? undefined : await choose(data.train);
  const { plan, tensors, batches = 0 } = await startFrom(from, described);
  return { plan, planFor: () => Promise.resolve(plan), tensors, batches };
}

async function startFrom(checkpoint: string, network: Network | undefined): Promise<TrainedModel> {
  const model = await loadModel(checkpoint, network);
  const { name } = model.plan.network;
  if (network && name !== network.name)
    throw unexpected(checkpoint, `a checkpoint of ${network.name}`, `one of ${name}`);
  return model;
}

/** @throws UserError where all samples of the training part are of one class */
function requireClasses(where: string, { train, picture }: LoadedData): void {
  if (train.task !== 'classification') return;
  const labels = new Set(train.labels);
  const seen = train.classes.filter((_, k) => labels.has(k));
  if (seen.length > 1) return;
  const got = `only ${seen.map(quote).join()}`;
  if (seen.length < train.classes.length) {
    const remedy = 'add samples of the others, or lower --validation-share and --test-share';
    throw unexpected(where, 'samples of at least two classes to train on', `${got}; ${remedy}`);
  }
  const remedy = picture ? 'each class has a folder of its own' : '--label names other labels';
  throw unexpected(where, 'at least two classes', `${got}; ${remedy}`);
}

/** @throws UserError where there are no validation samples to go by */
function requireValidation({ earlyStopping, keep }: RunConfig, samples: number): void {
  if (samples > 0 || (earlyStopping === undefined && keep !== 'best')) return;
  const flag = earlyStopping === undefined ? '--keep best' : '--early-stopping';
  throw unexpected(flag, 'validation samples to go by (--validation-share)', 'none');
}

/** Returns the backend: as the resumed run was begun, otherwise the fastest on this machine. */
async function backendFor(
  options: Pick<TrainOptions, 'out' | 'resume' | 'threads'>,
  steps: Steps,
  backend: Backend,
  reporter: Pick<RunReporter, 'note' | 'onStage'>,
): Promise<Backend> {
  noteOnEngine(backend, reporter.note);
  if (options.resume) {
    const folder = await chooseFolder(options, steps.plan.network.name, reporter.note);
    const path = [join(folder, 'last.safetensors'), trialFile(folder, 1)].find((file) => existsSync(file));
    const before = path === undefined ? undefined : await storedSteps(path);
    if (before) return options.threads === undefined ? backendAsBefore(steps, backend, before) : backend;
  }
  return options.threads === undefined ? backendAsMeasured(steps, backend, reporter) : backend;
}

/** Lets a mean over all mini-batches continue from those that a checkpoint has seen, like PyTorch's `momentum=None`. */
const withSeenBatches = (config: RunConfig, bnBatches: number): RunConfig =>
  config.bnMomentum === 'none' && bnBatches > 0 ? { ...config, bnBatches } : config;

function runOf(plan: Plan, source: DataSource, data: LoadedData, config: RunConfig, backend: Backend): Run {
  const { train, validation, test, columns, picture } = data;
  const parts = { train: train.count, validation: validation.count, test: test.count };
  const steps = stepRecord(plan, train, config, backend);
  return {
    plan,
    description: {
      network: plan.network,
      data: { name: sourceName(source), ...(source.path !== undefined && { source }), ...parts },
      sha256: digestOf(train, validation),
      config,
    },
    engine: describeSteps(backend, steps),
    steps,
    sha256: digestOf(train, validation, test),
    classes: classesOf(train),
    ...(columns && { columns }),
    ...(picture && { picture }),
    stepsPerEpoch: batchesOf(train.count, config.batchSize),
  };
}
