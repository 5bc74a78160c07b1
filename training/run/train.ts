/** Trains a network and writes a run folder. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Backend, createBackend } from '../backend/index.ts';
import {
  classesOf,
  type Dataset,
  type DataSource,
  digestOf,
  type LoadedData,
  loadSource,
  sourceName,
} from '../data/index.ts';
import { checked, makeFolder, releasing, unexpected, UserError } from '../files/index.ts';
import { loadModel, saveOutOfFold } from '../checkpoint/index.ts';
import { Interrupted, type Interruption, interruption, withLockOrRefuse } from '../process/index.ts';
import { type Network, type Plan, planNetwork } from '../network/index.ts';
import { type Baseline, baselineOf, type CheckedReport, type Objective, reportOn, riskOn } from '../objective/index.ts';
import {
  bestEpoch,
  createEvaluator,
  type State,
  describeSteps,
  stepRecord,
  ThreadEnded,
  train,
  type TrainingEvents,
  type TrainingResult,
  type TrainingStart,
} from '../trainer/index.ts';
import { chooseFolder } from './choose-folder.ts';
import { chooseNetwork, requireFit, sizeOf } from './choose-network.ts';
import { chooseAugmentation } from './augmentation.ts';
import { chooseFolds } from './folds.ts';
import { chooseLength } from './length.ts';
import { linearScore, type Standing } from './linear.ts';
import { refitAfterSearch } from './refit.ts';
import { chooseObjective, notesOnRarity } from './objective.ts';
import { type TrainOptions, trainOptionsSchema } from './options.ts';
import { type RunReporter, silentReporter } from './reporter.ts';
import { hasSaved, lockFile, type Run, RunFolder, trialFile } from './run-folder.ts';
import { notesOnScaling } from './scaling.ts';
import type { Found } from './search.ts';
import { effortFor } from './recipe.ts';
import { type RunConfig, storedSteps } from './snapshot-file.ts';
import { backendAsBefore, backendAsMeasured, noteOnEngine, noteOnThreads, type Steps } from './step-choice.ts';
import { versions } from './versions.ts';

/** The result of a run. */
export interface TrainedRun {
  /** The run folder. */
  readonly folder: string;
  /** The path of the trained network. */
  readonly checkpoint: string;
  readonly history: TrainingResult['history'];
  /** The epoch, counted from 1, with the lowest validation loss; 0 where there is no validation part. */
  readonly bestEpoch: number;
  /** The length that a search has found; undefined where there was none. */
  readonly found: Found | undefined;
  /** The objective that was minimized; its rule formats scores. */
  readonly objective: Objective;
  /** The report of the saved network on the test part. `tested` counts the samples of that part. */
  readonly test: CheckedReport;
  /** The rule's risk on the test part, such as the log loss. */
  readonly risk: number;
  readonly tested: number;
  /** The result of always answering with the training part's most frequent class, or its mean, on the test part. */
  readonly baseline: Baseline;
  /** The result of a network of one dense layer on the test part; undefined where that would be too large. */
  readonly linear: Standing | undefined;
}

/**
 * Trains a network in a run folder.
 *
 * @throws Interrupted after Ctrl-C, SIGTERM or SIGHUP, when the run is saved
 * @throws UserError for options, data and networks that do not fit each other
 */
export async function trainToFolder(asked: TrainOptions, reporter: RunReporter = silentReporter): Promise<TrainedRun> {
  const options = checked(trainOptionsSchema, asked, 'train');
  try {
    return await trainAsAsked(options, reporter);
  } finally {
    reporter.onStop();
  }
}

async function trainAsAsked(options: TrainOptions, reporter: RunReporter): Promise<TrainedRun> {
  const { source, folds, planFor, ...prepared } = await prepare(options, reporter);
  const { data, run } = prepared;
  const { plan, description } = run;
  reporter.onStart({ plan, source, data, config: description.config, engine: withPins(run) });
  using stop = interruption();
  const path = await chooseFolder(options, plan.network.name, reporter.note);
  await makeFolder(path);
  return await withLockOrRefuse(join(path, lockFile), path, 'no other training in it', async () => {
    const folder = new RunFolder(path, run);
    await folder.recover();
    if (folds === 0) return trainIn(folder, options, { ...prepared, found: undefined, stop }, reporter);
    if (!options.resume || !hasSaved(path)) {
      await beginIn(folder, options, reporter);
      await folder.describe(options.arguments, versions(run.engine));
    }
    const asked = { ...prepared, planFor, signal: stop.signal };
    const refit = await refitAfterSearch(folds, folder, asked, reporter).catch(async (error: unknown) => {
      await folder.restore();
      throw error;
    });
    return trainIn(new RunFolder(path, refit.run), options, { ...prepared, ...refit, stop }, reporter);
  });
}

async function beginIn(folder: RunFolder, { resume }: TrainOptions, { note }: RunReporter): Promise<void> {
  if (resume) note(`no run has begun in ${folder.path} yet: this one begins`);
  await folder.begin();
}

interface Prepared {
  readonly run: Run;
  readonly data: LoadedData;
  readonly backend: Backend;
  /** The tensors to start from, instead of fresh ones. */
  readonly tensors: State | undefined;
  readonly stop: Interruption;
  readonly found: Found | undefined;
}

async function trainIn(
  folder: RunFolder,
  options: TrainOptions,
  prepared: Prepared,
  reporter: RunReporter,
): Promise<TrainedRun> {
  const { run, data, backend, tensors, stop, found } = prepared;
  const { signal } = stop;
  const resumeHint = `to go on: bn-edge train --resume --out ${folder.path}`;
  const start = (options.resume ? await resumeFrom(folder, run, reporter) : undefined) ?? { tensors };
  if (!start.snapshot && !found) await beginIn(folder, options, reporter);
  const result = await trainInto(folder, options, prepared, start, reporter).catch(async (error: unknown) => {
    await folder.restore();
    throw error instanceof ThreadEnded ? new UserError(`${error.message}; all is saved; ${resumeHint}`) : error;
  });
  if (result.interrupted) {
    throw new Interrupted(signal, `stopped after step ${result.steps}, all is saved; ${resumeHint}`);
  }
  const { objective } = run.description.config;
  const checkpoint = await folder.finish(result.tensors, result);
  if (found?.outOfFold) await saveOutOfFold(checkpoint, found.outOfFold);
  if (signal.aborted) throw new Interrupted(signal, `stopped after training, all is saved; ${resumeHint}`);
  // The remaining work leaves nothing unfinished when a signal ends the process.
  stop[Symbol.dispose]();
  reporter.onStage('test');
  const { test, risk } = await testReport(backend, run, result.tensors, data.test);
  reporter.onStage('draw the curves');
  await folder.draw(result.history);
  const { history } = result;
  const baseline = baselineOf(objective, data.train, data.test);
  reporter.onStage('compare with a linear model');
  const linear = await linearScore(run.plan.network, data, run.description.config, backend);
  const scores = { objective, test, risk, tested: data.test.count, baseline, linear };
  return { folder: folder.path, checkpoint, history, bestEpoch: bestEpoch(history), found, ...scores };
}

async function prepare(
  {
    network,
    hidden,
    members,
    bins,
    from,
    config: settings,
    objective = {},
    augment,
    backend: name,
    data: source,
    folds: asked,
    refit,
    ...options
  }: TrainOptions,
  { note, onStage }: RunReporter,
) {
  onStage(`read ${source.path ?? sourceName(source)}`);
  const data = await loadSource(source, settings.seed);
  for (const line of data.notes ?? []) note(line);
  const config = {
    ...settings,
    ...chooseLength(settings, data.train.count, effortFor(data.columns ? sizeOf(data) : 0)),
    objective: chooseObjective(objective, data.train),
    ...(augment && { augment: chooseAugmentation(augment, data) }),
  };
  const folds = chooseFolds({ folds: asked, refit, from, config }, data, note);
  if (folds === 0) requireValidation(config, data.validation.count);
  if (from !== undefined && (members ?? bins) !== undefined) {
    throw unexpected(members === undefined ? '--bins' : '--members', 'no --from beside it, which has a network', from);
  }
  const choose = (train: Dataset = data.train) =>
    chooseNetwork({ network, hidden, members, bins }, source, { ...data, train }, config.objective);
  const {
    plan,
    tensors,
    batches = 0,
  } = from === undefined
    ? { plan: planNetwork(await choose()), tensors: undefined }
    : await startFrom(from, network === undefined && !hidden ? undefined : await choose());
  requireFit(plan, data, config.objective);
  if (!tensors) for (const line of notesOnScaling(data, plan.network, source.label)) note(line);
  for (const line of notesOnRarity(config.objective, data.train)) note(line);
  const backend = await backendFor(
    options,
    { plan, train: data.train, config },
    await createBackend(name, { threads: options.threads, spinning: options.spinning, stepper: options.stepper }, note),
    { note, onStage },
  );
  const planFor = async (train: Dataset) => (tensors ? plan : planNetwork(await choose(train)));
  const run = runOf(plan, source, data, counting(config, batches), backend);
  noteOnThreads(run.steps, note);
  return { source, folds, data, run, backend, tensors, planFor };
}

function withPins({ engine, steps: { stepper, threads } }: Run): string {
  if (threads === undefined) return engine;
  return `${engine} (--stepper ${stepper}${stepper === 'compiled' ? '' : ` --threads ${threads}`})`;
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
const counting = (config: RunConfig, bnBatches: number): RunConfig =>
  config.bnMomentum === 'none' && bnBatches > 0 ? { ...config, bnBatches } : config;

/** @throws UserError where there are no validation samples to go by */
function requireValidation({ earlyStopping, keep }: RunConfig, samples: number): void {
  if (samples > 0 || (earlyStopping === undefined && keep !== 'best')) return;
  const flag = earlyStopping === undefined ? '--keep best' : '--early-stopping';
  throw unexpected(flag, 'validation samples to go by (--validation-share)', 'none');
}

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
    stepsPerEpoch: Math.floor(train.count / config.batchSize),
  };
}

async function resumeFrom(
  folder: RunFolder,
  { engine, stepsPerEpoch }: Run,
  { note }: RunReporter,
): Promise<TrainingStart | undefined> {
  const stored = await folder.stored();
  if (!stored) return undefined;
  const { steps } = stored.snapshot;
  note(`going on after step ${steps} (epoch ${(steps / stepsPerEpoch).toFixed(2)})`);
  // Earlier versions wrote `1 threads`.
  if (stored.engine.replace(/\b1 threads\b/, '1 thread') !== engine)
    note(`the run was begun with ${stored.engine}: the last bits may differ from there on`);
  return { snapshot: stored.snapshot };
}

interface StartingPoint {
  readonly plan: Plan;
  readonly tensors: State | undefined;
  readonly batches?: number;
}

async function startFrom(checkpoint: string, network: Network | undefined): Promise<StartingPoint> {
  const model = await loadModel(checkpoint, network);
  const { name } = model.plan.network;
  if (network && name !== network.name)
    throw unexpected(checkpoint, `a checkpoint of ${network.name}`, `one of ${name}`);
  return model;
}

async function trainInto(
  folder: RunFolder,
  options: TrainOptions,
  { run, data, backend, stop, found }: Prepared,
  start: TrainingStart,
  reporter: RunReporter,
): Promise<TrainingResult> {
  // A program that resumes a run of the command line has no arguments, and keeps the recorded ones.
  const isNew = !start.snapshot && !(found && options.resume);
  if (isNew || options.arguments) await folder.describe(options.arguments, versions(run.engine));
  const recorder = await folder.record(start.snapshot);
  const events: TrainingEvents = {
    onProgress: (progress) => {
      recorder.onProgress(progress);
      reporter.onProgress(progress);
    },
    onEpoch: (metrics) => {
      recorder.onEpoch(metrics);
      reporter.onEpoch(metrics);
    },
    onSnapshot: recorder.onSnapshot,
  };
  const { epochs } = run.description.config;
  reporter.onTraining({ epochs, hasValidation: data.validation.count > 0 });
  reporter.onStage('make the graph ready');
  return train(run.plan, data, run.description.config, backend, events, { ...start, signal: stop.signal });
}

async function testReport(backend: Backend, { plan, description }: Run, tensors: State, test: Dataset) {
  await using evaluator = releasing(await createEvaluator(backend, plan));
  const output = await evaluator.logits(tensors, test);
  const { objective } = description.config;
  return { test: reportOn(test, output, objective), risk: riskOn(test, output, objective) };
}
