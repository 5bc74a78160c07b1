/** Trains a network and writes a run folder. */
import { join } from 'node:path';
import type { Backend } from '../backend/index.ts';
import { saveOutOfFold } from '../checkpoint/index.ts';
import type { Dataset } from '../data/index.ts';
import { checked, makeFolder, packageVersion, releasing, UserError } from '../files/index.ts';
import { type Baseline, baselineOf, type CheckedReport, type Objective, reportOn, riskOn } from '../objective/index.ts';
import { Interrupted, type Interruption, interruption, withLockOrRefuse } from '../process/index.ts';
import {
  bestEpoch,
  createEvaluator,
  type State,
  ThreadEnded,
  train,
  type TrainingEvents,
  type TrainingResult,
  type TrainingStart,
} from '../trainer/index.ts';
import { chooseFolder } from './choose-folder.ts';
import { linearScore, type TestScores } from './linear-baseline.ts';
import { type TrainOptions, trainOptionsSchema } from './options.ts';
import { type Prepared, prepare } from './prepare.ts';
import { refitAfterSearch } from './refit.ts';
import { type RunReporter, silentReporter } from './reporter.ts';
import { hasSaved, lockFile, type Run, RunFolder } from './run-folder.ts';
import type { FoundLength } from './cross-validation.ts';

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
  readonly found: FoundLength | undefined;
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
  readonly linear: TestScores | undefined;
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
    return await withRunFolder(options, reporter);
  } finally {
    reporter.onStop();
  }
}

/** Locks the run folder, searches for the length of training where folds ask for it, and trains. */
async function withRunFolder(options: TrainOptions, reporter: RunReporter): Promise<TrainedRun> {
  const { source, folds, planFor, ...prepared } = await prepare(options, reporter);
  const { data, run } = prepared;
  const { plan, description } = run;
  reporter.onStart({ plan, source, data, config: description.config, engine: engineWithFlags(run) });
  using stop = interruption();
  const path = await chooseFolder(options, plan.network.name, reporter.note);
  await makeFolder(path);
  return await withLockOrRefuse(join(path, lockFile), path, 'no other training in it', async () => {
    const folder = new RunFolder(path, run);
    await folder.recover();
    if (folds === 0) return trainAndReport(folder, options, { ...prepared, found: undefined, stop }, reporter);
    if (!options.resume || !hasSaved(path)) {
      await beginIn(folder, options, reporter);
      await folder.describe(options.arguments, versions(run.engine));
    }
    const search = { ...prepared, planFor, signal: stop.signal };
    const refit = await refitAfterSearch(folds, folder, search, reporter).catch(async (error: unknown) => {
      await folder.restore();
      throw error;
    });
    return trainAndReport(new RunFolder(path, refit.run), options, { ...prepared, ...refit, stop }, reporter);
  });
}

async function beginIn(folder: RunFolder, { resume }: TrainOptions, { note }: RunReporter): Promise<void> {
  if (resume) note(`no run has begun in ${folder.path} yet: this one begins`);
  await folder.begin();
}

/** A run that begins or resumes. `found` is the length that a search has found. */
interface Begun extends Pick<Prepared, 'run' | 'data' | 'backend' | 'tensors'> {
  readonly stop: Interruption;
  readonly found: FoundLength | undefined;
}

/** Begins or resumes the run, saves the trained network, and measures it on the test part. */
async function trainAndReport(
  folder: RunFolder,
  options: TrainOptions,
  begun: Begun,
  reporter: RunReporter,
): Promise<TrainedRun> {
  const { run, data, backend, tensors, stop, found } = begun;
  const { signal } = stop;
  const resumeHint = `to resume: bn-edge train --resume --out ${folder.path}`;
  const start = (options.resume ? await resumeFrom(folder, run, reporter) : undefined) ?? { tensors };
  if (!start.snapshot && !found) await beginIn(folder, options, reporter);
  const result = await trainRecorded(folder, options, begun, start, reporter).catch(async (error: unknown) => {
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

function engineWithFlags({ engine, steps: { stepper, threads } }: Run): string {
  if (threads === undefined) return engine;
  return `${engine} (--stepper ${stepper}${stepper === 'compiled' ? '' : ` --threads ${threads}`})`;
}

async function resumeFrom(
  folder: RunFolder,
  { engine, stepsPerEpoch }: Run,
  { note }: RunReporter,
): Promise<TrainingStart | undefined> {
  const stored = await folder.loadState();
  if (!stored) return undefined;
  const { steps } = stored.snapshot;
  note(`resuming after step ${steps} (epoch ${(steps / stepsPerEpoch).toFixed(2)})`);
  // Earlier versions wrote `1 threads`.
  if (stored.engine.replace(/\b1 threads\b/, '1 thread') !== engine)
    note(`the run was begun with ${stored.engine}: the last bits may differ from there on`);
  return { snapshot: stored.snapshot };
}

/** Trains while the run folder and the reporter receive the events. */
async function trainRecorded(
  folder: RunFolder,
  options: TrainOptions,
  { run, data, backend, stop, found }: Begun,
  start: TrainingStart,
  reporter: RunReporter,
): Promise<TrainingResult> {
  // A caller from code has no command-line arguments; the recorded ones stay.
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

/** Returns the versions that a run is made with. */
const versions = (engine: string): Readonly<Record<string, string>> => ({
  'bn-edge': packageVersion(),
  node: process.versions.node,
  engine,
});
