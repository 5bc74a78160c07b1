/**
 * Cross-validation: searches for the length of training with networks like the one to be trained, which are judged on
 * samples that they have not seen. The final network can then learn from all samples. Either the validation part judges
 * (`--refit`), or each of several folds in turn (`--folds`), which also gives answers to all samples.
 */
import { at } from '../arrays/index.ts';
import type { Backend } from '../backend/index.ts';
import { batchesOf, createRandom, type Dataset, foldsOf, joined, type LoadedData, subset } from '../data/index.ts';
import { releasing, unexpected } from '../files/index.ts';
import type { Plan } from '../network/index.ts';
import { type CheckedReport, objectiveRuleOf, reportOn } from '../objective/index.ts';
import { Interrupted } from '../process/index.ts';
import { createEvaluator, type State, train, type TrainingResult } from '../trainer/index.ts';
import { concatenated } from './evaluation.ts';
import type { RunReporter } from './reporter.ts';
import type { RunConfig } from './snapshot-file.ts';
import type { Trial, Trials } from './stored-trials.ts';

/** The options of a search. */
export interface SearchOptions {
  readonly data: LoadedData;
  readonly config: RunConfig;
  readonly backend: Backend;
  /** Returns the network for data with this training part. */
  readonly planFor: (train: Dataset) => Promise<Plan>;
  /** The tensors to start from, instead of fresh ones. */
  readonly tensors: State | undefined;
  /** The networks that have been trained to the end. */
  readonly trials: Trials;
  readonly signal: AbortSignal;
}

/** Answers to all samples except the test part's, each from a network that has not seen the sample. */
export interface OutOfFold {
  readonly samples: Dataset;
  /** Logits or numbers, a row for each sample. */
  readonly answers: Float32Array;
  readonly report: CheckedReport;
  /** The score of each fold. */
  readonly scores: readonly number[];
}

/** The length of training that the search has found. */
export interface FoundLength {
  /** The number of steps that the schedule spans, which may be more than are taken. */
  readonly steps: number;
  /** The number of steps after which training stops: the best epoch's end. */
  readonly stopAfter: number;
  /** The best epoch, counted from 1, and the number of epochs. */
  readonly epoch: number;
  readonly epochs: number;
  readonly outOfFold: OutOfFold | undefined;
}

/** The minimum number of samples for each fold. */
const minOfFold = 2;

/**
 * Searches for the length of training.
 *
 * @param folds 1 to judge by the existing validation part
 * @throws Interrupted by `signal`; networks that have been trained to the end are saved
 * @throws UserError for more folds than the samples allow
 */
export async function findLength(folds: number, options: SearchOptions, reporter: RunReporter): Promise<FoundLength> {
  const { data, config } = options;
  const parts = folds === 1 ? [data] : splitsOf(data, folds, config);
  const limit = config.timeLimit && config.timeLimit / (parts.length + 1);
  const given = { ...options, config: { ...config, timeLimit: limit } };
  const trials: Judged[] = [];
  for (const [i, { train, validation }] of parts.entries()) {
    const name = folds === 1 ? 'search' : `fold ${i + 1}/${folds}`;
    const learn = () => trainTrial({ train, validation }, given, reporter, { name, answersAll: folds > 1 });
    trials.push({ ...(await options.trials.at(i + 1, learn, reporter.note)), validation });
  }
  const epoch = bestOf(trials);
  const perEpoch = Math.floor(at(parts, 0).train.count / config.batchSize);
  const longest = Math.max(...trials.map(({ steps }) => steps));
  const steps = limit === undefined ? (config.steps ?? config.epochs * perEpoch) : longest;
  return {
    steps,
    stopAfter: Math.min(epoch * perEpoch, longest),
    epoch,
    epochs: Math.max(...trials.map(({ losses }) => losses.length)),
    outOfFold: folds === 1 ? undefined : outOfFold(trials, epoch, config),
  };
}

/** Returns the parts of each fold: the fold itself for judging, and all others for learning. */
function splitsOf({ train, validation }: LoadedData, folds: number, { seed, batchSize }: RunConfig) {
  const all = joined(train, validation);
  const max = Math.floor(all.count / minOfFold);
  if (folds > max) throw unexpected('--folds', `at most ${max}, half of the ${all.count} samples`, folds);
  const parts = foldsOf(all, folds, createRandom(seed).fork('folds'));
  const min = Math.min(...parts.map(({ length }) => all.count - length));
  if (batchSize > min) throw unexpected('--batch-size', `at most ${min}, what folds leave to learn from`, batchSize);
  return parts.map((own) => {
    const isOwn = new Set(own);
    const others = Int32Array.from({ length: all.count }, (_, sample) => sample).filter((sample) => !isOwn.has(sample));
    return { train: subset(all, others), validation: subset(all, own) };
  });
}

interface Judged extends Trial {
  readonly validation: Dataset;
}

async function trainTrial(
  data: Pick<LoadedData, 'train' | 'validation'>,
  { config: asked, backend, planFor, tensors, trials, signal }: SearchOptions,
  reporter: RunReporter,
  { name, answersAll }: { readonly name: string; readonly answersAll: boolean },
): Promise<Trial> {
  const config = { ...asked, epochs: epochsFor(asked, data.train) };
  const plan = await planFor(data.train);
  reporter.onTraining({ epochs: config.epochs, hasValidation: true, of: name });
  await using evaluator = releasing(await createEvaluator(backend, plan));
  const answers: Float32Array[] = [];
  const events = {
    onProgress: reporter.onProgress,
    onEpoch: reporter.onEpoch,
    onEvaluated: async (now: State) => {
      if (answersAll) answers.push(await evaluator.logits(now, data.validation));
    },
  };
  const { history, steps, interrupted } = await train(plan, data, config, backend, events, { tensors, signal });
  if (interrupted) throw new Interrupted(signal, trials.stoppedIn(name));
  return { ...curvesOf(history), steps, answers };
}

/** Returns the number of epochs: as asked, or as many as the steps fill, since folds are smaller or larger epochs. */
const epochsFor = ({ epochs, steps, batchSize }: RunConfig, { count }: Dataset): number =>
  steps === undefined ? epochs : Math.ceil(steps / batchesOf(count, batchSize));

const curvesOf = (history: TrainingResult['history']): Pick<Trial, 'losses' | 'scores'> => ({
  losses: history.map(({ validation: { loss } }) => loss),
  scores: history.map(({ validation: { score } }) => score),
});

/**
 * Returns the epoch with the lowest loss over the samples of all trials (the first of equals), or the last one where no
 * loss is a number.
 */
function bestOf(trials: readonly Judged[]): number {
  const epochs = Math.min(...trials.map(({ losses }) => losses.length));
  const sums = Array.from({ length: epochs }, (_, i) =>
    trials.reduce((sum, { losses, validation }) => sum + at(losses, i) * validation.count, 0),
  );
  const best = sums.indexOf(Math.min(...sums.filter((sum) => !Number.isNaN(sum))));
  return best < 0 ? epochs : best + 1;
}

function outOfFold(trials: readonly Judged[], epoch: number, { objective }: RunConfig): OutOfFold {
  const [first, ...others] = trials.map(({ validation }) => validation);
  if (!first) throw new Error('internal: no folds');
  const samples = joined(first, ...others);
  const answers = concatenated(trials.map((trial) => at(trial.answers, epoch - 1)));
  return {
    samples,
    answers,
    report: reportOn(samples, answers, objective),
    scores: trials.map(({ scores }) => at(scores, epoch - 1)),
  };
}

/** Formats the mean over folds and the deviation between them: `accuracy 84.10 % ± 1.20 %`. */
export function scoreOfFolds({ scores }: OutOfFold, { objective }: Pick<RunConfig, 'objective'>): string {
  const { score } = objectiveRuleOf(objective);
  const mean = scores.reduce((sum, each) => sum + each / scores.length, 0);
  const squares = scores.reduce((sum, each) => sum + (each - mean) ** 2, 0);
  const deviation = Math.sqrt(squares / Math.max(scores.length - 1, 1));
  return `${score.name} ${score.format(mean)} ± ${score.format(deviation)}`;
}
