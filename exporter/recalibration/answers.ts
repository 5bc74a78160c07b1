/** Measures how new statistics change a model's answers, and the two signs by which re-estimation is known to fail. */
import { at } from '../../training/arrays/index.ts';
import { countLabels, type Dataset } from '../../training/data/index.ts';
import { percent } from '../../training/files/index.ts';
import { classLogits, predictions, probabilities } from '../../training/objective/index.ts';

/** Changes of answers that are classes. */
export interface ClassChanges {
  readonly kind: 'classes';
  /** The share of samples that get the same class as before. */
  readonly agreement: number;
  /** The mean entropy of the answers in nats, before and after: how undecided the model is. */
  readonly entropy: { readonly before: number; readonly after: number };
  /**
   * The mean probability of each class, before and after. Of samples like those of training it is the share of the
   * class there, also where the class is rare.
   */
  readonly shares: { readonly before: readonly number[]; readonly after: readonly number[] };
  /** The share of the samples that each class is the most probable one of, before and after. */
  readonly answers: { readonly before: readonly number[]; readonly after: readonly number[] };
}

/** Changes of answers that are numbers. */
export interface NumberChanges {
  readonly kind: 'numbers';
  /** The mean of the absolute differences. */
  readonly meanDifference: number;
  /** The standard deviation of the answers before. */
  readonly deviation: number;
}

export type AnswerChanges = ClassChanges | NumberChanges;

/**
 * @param before logits or numbers, row-major `[count, ..]`
 * @param after the answers of the model with new statistics
 */
export function changesOf(samples: Dataset, before: Float32Array, after: Float32Array): AnswerChanges {
  if (samples.task === 'regression') return numberChanges(before, after);
  const { count, classes } = samples;
  const [former, fresh] = [decisionsOf(before, count), decisionsOf(after, count)];
  const same = former.predicted.reduce((sum, k, i) => sum + (k === fresh.predicted[i] ? 1 : 0), 0);
  return {
    kind: 'classes',
    agreement: same / count,
    entropy: { before: former.entropy, after: fresh.entropy },
    shares: {
      before: sharesOf(former.probabilities, classes.length),
      after: sharesOf(fresh.probabilities, classes.length),
    },
    answers: {
      before: answerSharesOf(former.predicted, classes.length),
      after: answerSharesOf(fresh.predicted, classes.length),
    },
  };
}

function decisionsOf(answers: Float32Array, count: number) {
  const logits = classLogits(answers, count);
  const { data } = probabilities(logits);
  return { predicted: predictions(logits), probabilities: data, entropy: meanEntropy(data, count) };
}

function numberChanges(before: Float32Array, after: Float32Array): NumberChanges {
  const count = before.length;
  const mean = before.reduce((sum, value) => sum + value, 0) / count;
  const difference = before.reduce((sum, value, i) => sum + Math.abs(at(after, i) - value), 0);
  const squares = before.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { kind: 'numbers', meanDifference: difference / count, deviation: Math.sqrt(squares / count) };
}

/** Returns the mean of H = −Σ p ln p over the samples. */
const meanEntropy = (p: ArrayLike<number>, count: number): number =>
  Array.from(p).reduce((sum, value) => sum - (value > 0 ? value * Math.log(value) : 0), 0) / count;

/** Returns the mean probability of each class. Answers that are not numbers count as samples of no class. */
function sharesOf(probabilities: Float64Array, classes: number): readonly number[] {
  const sums = new Float64Array(classes);
  probabilities.forEach((p, i) => {
    if (!Number.isNaN(p)) sums[i % classes] = at(sums, i % classes) + p;
  });
  return Array.from(sums, (sum) => (sum * classes) / probabilities.length);
}

/** Returns the share of each class among the answers. Answers that are not numbers are of no class, −1. */
const answerSharesOf = (predicted: Int32Array, classes: number): readonly number[] =>
  Array.from(countLabels(predicted, classes), (count) => count / predicted.length);

/** Fewer samples are refused, unless the former statistics are mixed in or the user insists. */
const FEWEST_SAMPLES = 100;

/**
 * The total variation distance between the classes' shares, beyond what chance makes of it, that still counts as the
 * same.
 */
const MAX_SKEW = 0.1;

/** The entropy above the former one, relative to the largest possible, that still counts as decided. */
const MAX_DOUBT = 0.2;

/** Objects to too few samples to estimate a variance from; undefined if there are enough. */
export const fewSamples = (count: number, prior: number): string | undefined =>
  count >= FEWEST_SAMPLES || prior > 0
    ? undefined
    : `expected ${FEWEST_SAMPLES} samples or more to measure statistics on, got ${count} (--prior 16 mixes the former ones in)`;

/**
 * Objects to answers of other classes than in training: statistics of a few classes are not those of all. Undefined if
 * the shares are alike, and for numbers.
 *
 * Two measures are needed. The mean probabilities of an undecided model stay near the shares of training whatever the
 * samples are, but its most probable classes do not. Those differ from training as well where a rare class seldom is
 * the most probable one; the mean probabilities then agree with training as closely as chance lets them.
 *
 * @param count the number of samples
 * @param known the shares of the classes in training; equal ones by default
 */
export function skewedClasses(
  changes: AnswerChanges,
  count: number,
  classes: readonly string[],
  known: readonly number[] = classes.map(() => 1 / classes.length),
): string | undefined {
  if (changes.kind !== 'classes') return undefined;
  // A card may know fewer classes: the others did not occur in training.
  const shareOf = (k: number): number => known[k] ?? 0;
  const differencesOf = (shares: readonly number[]): readonly number[] => shares.map((share, k) => share - shareOf(k));
  const distanceOf = (shares: readonly number[]): number =>
    differencesOf(shares).reduce((sum, value) => sum + Math.abs(value), 0) / 2;
  // The mean of |share − p| is √(2 p (1 − p) / π n) if each class is drawn with its probability p.
  const chance = known.reduce((sum, p) => sum + Math.sqrt((2 * p * (1 - p)) / (Math.PI * count)), 0) / 2;
  const { shares, answers } = changes;
  const measures = distanceOf(shares.after) > chance ? [shares.after, answers.after] : [shares.after];
  const skewed = measures.find((measure) => distanceOf(measure) > MAX_SKEW + 2 * chance);
  if (!skewed) return undefined;
  const differences = differencesOf(skewed);
  const max = differences.indexOf(Math.max(...differences));
  const got = `${percent(at(skewed, max))} ${JSON.stringify(at(classes, max))}`;
  return `expected about as much of each class as in training, got ${got} in place of ${percent(shareOf(max))}`;
}

/**
 * Objects to answers that are much less decided than usual: statistics of one class spread its samples over all
 * classes, so that the shares of the classes look right. Undefined if they are decided, and for numbers.
 *
 * @param former the mean entropy of the former answers to samples of the test part, in nats
 */
export function undecided(changes: AnswerChanges, former: number | undefined): string | undefined {
  if (changes.kind !== 'classes' || former === undefined) return undefined;
  const { entropy, shares } = changes;
  if (entropy.after <= former + MAX_DOUBT * Math.log(shares.after.length)) return undefined;
  const nats = (value: number): string => value.toFixed(2);
  return `expected answers about as decided as usual (${nats(former)} nats), got ${nats(entropy.after)}: these may be samples of few classes`;
}

/**
 * Returns the mean entropy of answers, in nats.
 *
 * @param kind of the numbers, `[count, classes]`, row-major
 */
export const entropyOf = (answers: Float32Array, count: number, kind: 'logits' | 'probabilities'): number =>
  meanEntropy(kind === 'probabilities' ? answers : probabilities(classLogits(answers, count)).data, count);
