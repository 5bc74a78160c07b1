/** Trains a network over epochs and evaluates it after each. Reads no files and prints nothing. */
import { setImmediate } from 'node:timers/promises';
import type { Backend } from '../backend/index.ts';
import { augmented, batchesOf, createRandom, type Dataset, epochBatches } from '../data/index.ts';
import { releasing, UserError } from '../files/index.ts';
import type { Plan } from '../network/index.ts';
import { objectiveFor, objectiveRuleOf } from '../objective/index.ts';
import type { TrainingConfig } from './config.ts';
import { type Clock, startClock } from './clock.ts';
import { ThreadEnded } from './compiled/step-program.ts';
import { createEvaluator, type Evaluator } from './evaluate.ts';
import { populationStatistics } from './population.ts';
import { TrainingRun } from './training-run.ts';
import { Saving } from './saving.ts';
import { bestEpoch, stopsEarly } from './early-stopping.ts';
import { type EpochResult, type EpochSums, noSteps, type Snapshot } from './snapshot.ts';
import type { State } from './state.ts';

export interface TrainingData {
  readonly train: Dataset;
  readonly validation: Dataset;
}

export interface EpochMetrics extends EpochResult {
  /** Counts the steps of the run so far. */
  readonly steps: number;
  readonly samplesPerSecond: number;
}

export interface TrainingProgress {
  readonly epoch: number;
  /** Counts the samples of this epoch so far. */
  readonly samples: number;
  /** Counts the steps of the run so far. */
  readonly steps: number;
  /** The share of the whole run that is done, from 0 to 1, by its steps or by the clock. */
  readonly share: number;
  /** The mean over the steps since the last report. */
  readonly loss: number;
}

export interface TrainingEvents {
  readonly onProgress?: (progress: TrainingProgress) => void;
  readonly onEpoch?: (metrics: EpochMetrics) => void;
  /** Receives the network's tensors after each epoch. Training waits for it. */
  readonly onEvaluated?: (tensors: State) => Promise<void>;
  /**
   * Receives a snapshot after each epoch, and when the run is interrupted. Training continues meanwhile, and waits for
   * the promise before the next snapshot and at the end.
   */
  readonly onSnapshot?: (snapshot: Snapshot) => Promise<void>;
}

export interface TrainingStart {
  /** The tensors to start from, such as those of a checkpoint; fresh ones when omitted. */
  readonly tensors?: State | undefined;
  /** The snapshot to resume, of a run with the same network, data and configuration. `tensors` are then ignored. */
  readonly snapshot?: Snapshot | undefined;
  /**
   * Interrupts the run between two calls of the graph, which take a fraction of a second each, and a few seconds at
   * most where calls are expensive (pace.ts).
   */
  readonly signal?: AbortSignal | undefined;
}

export interface TrainingResult {
  /** The network's tensors after the epoch that the configuration asks for. */
  readonly tensors: State;
  readonly history: readonly EpochResult[];
  readonly steps: number;
  /** Is true when the run was interrupted. The tensors are then those of the last step. */
  readonly interrupted: boolean;
}

/**
 * Trains until all epochs are complete, early stopping or the time limit ends the run, or the signal interrupts it.
 *
 * @throws UserError when a number is no longer finite, or Batch Norm is to be frozen at the statistics of fresh tensors
 */
export async function train(
  plan: Plan,
  data: TrainingData,
  config: TrainingConfig,
  backend: Backend,
  events: TrainingEvents = {},
  { tensors, snapshot, signal }: TrainingStart = {},
): Promise<TrainingResult> {
  if (config.freezeBn && !tensors && !snapshot) {
    throw new UserError('training: expected a checkpoint to freeze the running statistics of, got fresh ones');
  }
  await using run = releasing(
    snapshot
      ? await TrainingRun.resume(plan, data.train, config, backend, snapshot)
      : await TrainingRun.start(plan, data.train, config, backend, tensors),
  );
  await using evaluator = releasing(await createEvaluator(backend, plan));
  const saving = new Saving(events.onSnapshot);
  try {
    const clock = startClock(config.timeLimit, snapshot?.spent);
    const training = { run, evaluator, data, config, events, saving, signal, clock };
    const { history, best, spent } = await trainEpochs(training, snapshot);
    await saving.finish();
    const interrupted = !isComplete(training, history, spent);
    const chosen = best && config.keep !== 'last' && !interrupted ? best : run.tensors;
    const full = config.statistics === 'population' && !interrupted;
    return {
      tensors: full ? await populationStatistics(backend, plan, chosen, data.train) : chosen,
      history,
      steps: run.stepsDone,
      interrupted,
    };
  } finally {
    await saving.settle();
  }
}

const isOver = (clock: Clock | undefined): boolean => clock !== undefined && clock.share() >= 1;

/** Returns the maximum number of steps of a run. */
const stepsOf = ({ epochs, steps, stopAfter = Infinity }: TrainingConfig, perEpoch: number): number =>
  Math.min(steps ?? epochs * perEpoch, stopAfter);

/** Returns the number of epochs of a run. A limit of its steps may leave some of them without a step. */
function epochsOf(config: TrainingConfig, { count }: Dataset): number {
  const perEpoch = batchesOf(count, config.batchSize);
  return Math.min(config.epochs, Math.ceil(stepsOf(config, perEpoch) / perEpoch));
}

interface Training {
  readonly run: TrainingRun;
  readonly evaluator: Evaluator;
  readonly data: TrainingData;
  readonly config: TrainingConfig;
  readonly events: TrainingEvents;
  readonly saving: Saving;
  readonly signal: AbortSignal | undefined;
  /** The clock of the time limit, where there is one. */
  readonly clock: Clock | undefined;
}

/** Is true when the run has all its epochs, or has ended before by early stopping or the time limit. */
function isComplete({ config, data }: Training, history: readonly EpochResult[], spent = 0): boolean {
  const { earlyStopping, timeLimit = Infinity } = config;
  const isLate = history.length > 0 && spent >= timeLimit;
  return history.length >= epochsOf(config, data.train) || stopsEarly(history, earlyStopping) || isLate;
}

/** Trains until the run is complete or interrupted. */
async function trainEpochs(
  training: Training,
  { history, sums, best, spent }: Pick<Snapshot, 'history' | 'sums' | 'best' | 'spent'> = {
    history: [],
    sums: noSteps,
    best: undefined,
  },
): Promise<Pick<Snapshot, 'history' | 'best' | 'spent'>> {
  const { run, evaluator, data, config, events, saving, signal, clock } = training;
  while (!isComplete(training, history, spent)) {
    const epoch = history.length + 1;
    const { train, lost, ...trained } = await trainEpoch(training, epoch, sums);
    sums = trained.sums;
    await saving.finish();
    if (!signal?.aborted && !lost) {
      const validation = await evaluator.evaluate(run.tensors, data.validation, config.objective);
      const result = { epoch, train, validation };
      history = [...history, result];
      sums = noSteps;
      if (bestEpoch(history) === epoch) best = run.tensors;
      events.onEpoch?.({ ...result, steps: run.stepsDone, samplesPerSecond: trained.samplesPerSecond });
      await events.onEvaluated?.(run.tensors);
    }
    // The time that is saved also decides whether the run is over, so that a run that is over stays so when resumed.
    spent = clock?.spent();
    saving.start({ steps: run.stepsDone, state: run.state, history, sums, best, spent });
    if (lost) {
      await saving.finish();
      throw lost;
    }
    if (signal?.aborted) break;
  }
  return { history, best, spent };
}

/**
 * Takes the remaining steps of an epoch, or as many as fit before an interruption, the time limit or the end of a
 * thread.
 */
async function trainEpoch(training: Training, epoch: number, before: EpochSums) {
  const { run, data, config, events, saving, signal, clock } = training;
  const { batchSize, seed, objective = objectiveFor(data.train) } = config;
  const { summarize } = objectiveRuleOf(objective);
  const whole = epochBatches(createRandom(seed), epoch, data.train.count, batchSize);
  const stepsBefore = ((epoch - 1) * whole.length) / batchSize;
  const all = stepsOf(config, whole.length / batchSize);
  const order = whole.subarray(0, (all - stepsBefore) * batchSize);
  if (config.augment) {
    run.useInputs(augmented(data.train, config.augment, createRandom(seed).fork(`augment ${epoch}`)));
  }
  const first = (run.stepsDone - stepsBefore) * batchSize;
  const start = performance.now();
  let sums = before;
  let from = first;
  let lost: ThreadEnded | undefined;
  while (from < order.length && !signal?.aborted && !saving.hasFailed && !(from > 0 && isOver(clock))) {
    if (clock) run.useClock(clock.forecast(run.stepsDone));
    // The event loop handles pending events here, such as a signal or the end of a thread: compiled steps block it.
    await setImmediate();
    const call = order.subarray(from, from + run.stepsPerCall * batchSize);
    const taken = await run.steps(call).catch((error: unknown) => {
      if (error instanceof ThreadEnded) lost = error;
      else throw error;
    });
    if (!taken) break;
    const { loss, score } = taken;
    from += call.length;
    sums = { loss: addAll(sums.loss, loss), score: addAll(sums.score, score) };
    const share = Math.max(run.stepsDone / all, Math.min(clock?.share() ?? 0, 1));
    events.onProgress?.({ epoch, samples: from, steps: run.stepsDone, share, loss: addAll(0, loss) / loss.length });
  }
  return {
    sums,
    lost,
    train: summarize(objective, sums.loss / (from / batchSize), sums.score, from),
    samplesPerSecond: (from - first) / ((performance.now() - start) / 1000),
  };
}

/** Adds the values one by one, so that the sum does not depend on how the steps are divided among calls. */
const addAll = (sum: number, values: Float32Array): number => values.reduce((total, value) => total + value, sum);
