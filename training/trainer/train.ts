/** Trains a network over epochs and evaluates it after each. Knows no files and prints nothing. */
import type { Backend } from '../backend/index.ts';
import { type Dataset, createRandom, epochBatches } from '../data/index.ts';
import { UserError } from '../errors.ts';
import { createEvaluator } from './evaluate.ts';
import type { State } from './initialize.ts';
import { populationStatistics } from './population.ts';
import type { Plan } from '../network/index.ts';
import { type Evaluation, objectiveFor, objectiveRuleOf } from '../objective/index.ts';
import { type StepResults, type TrainingConfig, TrainingRun } from './run.ts';

export interface TrainingData {
  readonly train: Dataset;
  readonly validation: Dataset;
}

export interface EpochMetrics {
  /** Counts from 1. */
  readonly epoch: number;
  /** Over the epoch's mini-batches, each before its update. */
  readonly train: Evaluation;
  /** With running statistics. */
  readonly validation: Evaluation;
  readonly samplesPerSecond: number;
}

export interface Progress {
  readonly epoch: number;
  /** Samples of this epoch seen so far. */
  readonly samples: number;
  /** Mean over the steps since the last report. */
  readonly loss: number;
}

export interface TrainingEvents {
  readonly onProgress?: (progress: Progress) => void;
  readonly onEpoch?: (metrics: EpochMetrics) => void;
}

export interface TrainingResult {
  /** The network's tensors. */
  readonly tensors: State;
  readonly history: readonly EpochMetrics[];
  readonly steps: number;
}

/**
 * @param tensors what to start from, such as those of a checkpoint; fresh ones when omitted
 * @throws UserError when the loss is no longer a number, or Batch Norm is frozen at the statistics of fresh tensors
 */
export async function train(
  plan: Plan,
  data: TrainingData,
  config: TrainingConfig,
  backend: Backend,
  events: TrainingEvents = {},
  tensors?: State,
): Promise<TrainingResult> {
  if (config.freezeBn && !tensors) {
    throw new UserError('training: expected a checkpoint to freeze the running statistics of, got fresh ones');
  }
  const run = await TrainingRun.start(plan, data.train, config, backend, tensors);
  const evaluator = await createEvaluator(backend, plan);
  const history: EpochMetrics[] = [];
  try {
    for (let epoch = 1; epoch <= config.epochs; epoch++) {
      const trained = await trainEpoch(run, epoch, data.train, config, events);
      const validation = await evaluator.evaluate(run.tensors, data.validation, config.objective);
      history.push({ epoch, validation, ...trained });
      events.onEpoch?.({ epoch, validation, ...trained });
    }
  } finally {
    await Promise.all([run.release(), evaluator.release()]);
  }
  const trained = run.tensors;
  const chosen =
    config.statistics === 'population' ? await populationStatistics(backend, plan, trained, data.train) : trained;
  return { tensors: chosen, history, steps: run.stepsDone };
}

async function trainEpoch(
  run: TrainingRun,
  epoch: number,
  dataset: Dataset,
  config: TrainingConfig,
  events: TrainingEvents,
) {
  const { summarize } = objectiveRuleOf(config.objective ?? objectiveFor(dataset));
  const order = epochBatches(createRandom(config.seed), epoch, dataset.count, config.batchSize);
  const start = performance.now();
  const sum = { loss: 0, score: 0 };
  for (let from = 0; from < order.length;) {
    const call = order.subarray(from, from + run.stepsPerCall * config.batchSize);
    const results = await run.steps(call);
    from += call.length;
    requireFinite(results, epoch, run.stepsDone, config);
    const loss = total(results.loss);
    sum.loss += loss;
    sum.score += total(results.score);
    events.onProgress?.({ epoch, samples: from, loss: loss / results.loss.length });
  }
  return {
    train: summarize(sum.loss / (order.length / config.batchSize), sum.score, order.length),
    samplesPerSecond: order.length / ((performance.now() - start) / 1000),
  };
}

function requireFinite(
  { loss }: StepResults,
  epoch: number,
  stepsDone: number,
  { learningRate }: TrainingConfig,
): void {
  const bad = loss.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return;
  const step = stepsDone - loss.length + bad + 1;
  throw new UserError(
    `training: expected a finite loss, got ${loss[bad]} at step ${step} (epoch ${epoch}); try a --learning-rate below ${learningRate}`,
  );
}

const total = (values: Float32Array): number => values.reduce((sum, value) => sum + value, 0);
