/** Metrics of classes from logits, computed on the host in float64. */
import { present } from '../../arrays/index.ts';
import { type Threshold, predictedClass } from '../../answers/index.ts';

/** Row-major `[count, classes]`. */
export interface Logits {
  readonly data: ArrayLike<number>;
  readonly classes: number;
}

/**
 * Returns a network's output as logits of classes. One logit z for each sample stands for (0, z), whose softmax is the
 * sigmoid: binary classification is multi-class with two.
 */
export function classLogits(output: Float32Array, count: number): Logits {
  if (output.length !== count) return { data: output, classes: output.length / count };
  return {
    data: Float32Array.from({ length: 2 * count }, (_, i) => (i % 2 ? present(output[(i - 1) / 2]) : 0)),
    classes: 2,
  };
}

/** Copies a row by a loop, since a function call for each number takes longer than all that is done with the row. */
function rowOf({ data, classes }: Logits, sample: number): readonly number[] {
  const row: number[] = [];
  for (let k = 0; k < classes; k++) row.push(present(data[sample * classes + k]));
  return row;
}

/**
 * Returns the class that is the answer to each sample, `[count]`: the one with the largest logit (the first of equals),
 * unless a threshold of the probability decides between two. It is −1 where a logit is NaN.
 */
export function predictions(logits: Logits, threshold?: Threshold): Int32Array {
  const predicted = new Int32Array(logits.data.length / logits.classes);
  for (let sample = 0; sample < predicted.length; sample++) {
    const row = rowOf(logits, sample);
    if (row.some(Number.isNaN)) predicted[sample] = -1;
    else predicted[sample] = threshold ? predictedClass(softmax(row), threshold) : predictedClass(row, undefined);
  }
  return predicted;
}

function softmax(row: readonly number[]): readonly number[] {
  const logSum = logSumExp(row);
  return row.map((z) => Math.exp(z - logSum));
}

/** Returns the softmax of each row: `[count, classes]`. */
export function probabilities(logits: Logits): { readonly data: Float64Array; readonly classes: number } {
  const data = new Float64Array(logits.data.length);
  for (let sample = 0; sample < data.length / logits.classes; sample++) {
    data.set(softmax(rowOf(logits, sample)), sample * logits.classes);
  }
  return { data, classes: logits.classes };
}

/** −1/N Σ log softmax(logits)[label], or NaN where a label has no logit because the model knows fewer classes. */
export function crossEntropy(logits: Logits, labels: ArrayLike<number>): number {
  return mean(labels, (label, sample) => {
    const row = rowOf(logits, sample);
    return logSumExp(row) - (row[label] ?? NaN);
  });
}

/** Returns the share of samples whose label is the answer. */
export function accuracy(logits: Logits, labels: ArrayLike<number>, threshold?: Threshold): number {
  const predicted = predictions(logits, threshold);
  return mean(labels, (label, sample) => Number(predicted[sample] === label));
}

/**
 * Returns the share of samples with fewer than k logits above the label's. A label's logit of NaN counts as wrong, and
 * other logits of NaN count as not above it. So does a label without a logit.
 */
export function topKAccuracy(logits: Logits, labels: ArrayLike<number>, k: number): number {
  return mean(labels, (label, sample) => {
    const row = rowOf(logits, sample);
    const own = row[label] ?? NaN;
    return Number(!Number.isNaN(own) && row.filter((z) => z > own).length < k);
  });
}

function logSumExp(row: readonly number[]): number {
  const largest = row.reduce((max, z) => Math.max(max, z), -Infinity);
  return largest + Math.log(row.reduce((sum, z) => sum + Math.exp(z - largest), 0));
}

function mean(labels: ArrayLike<number>, term: (label: number, sample: number) => number): number {
  let sum = 0;
  for (let sample = 0; sample < labels.length; sample++) sum += term(present(labels[sample]), sample);
  return sum / labels.length;
}
