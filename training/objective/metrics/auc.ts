/** The area under the receiver operating characteristic. */
import { present } from '../../arrays/index.ts';
import { type Logits, probabilities } from './classification.ts';

/**
 * Returns the probability that a positive sample scores above a negative one, with ties counted half: the Mann–Whitney
 * statistic,
 *
 *     (Σ ranks of the positive − P (P + 1) / 2) / (P N)
 *
 * with equal scores sharing their mean rank. Fawcett, https://doi.org/10.1016/j.patrec.2005.10.010
 *
 * @returns NaN when all samples are positive, or none, and for a score that is not a number, which has no rank
 */
export function rocAuc(scores: ArrayLike<number>, isPositive: (sample: number) => boolean): number {
  const order = Array.from({ length: scores.length }, (_, i) => i);
  if (order.some((sample) => Number.isNaN(scores[sample]))) return NaN;
  order.sort((a, b) => compared(present(scores[a]), present(scores[b])));
  const scoreAt = (rank: number) => present(scores[present(order[rank])]);
  let [rankSum, positives] = [0, 0];
  for (let start = 0; start < order.length;) {
    let end = start;
    while (end < order.length && scoreAt(end) === scoreAt(start)) end++;
    const positive = order.slice(start, end).filter(isPositive).length;
    rankSum += (positive * (start + 1 + end)) / 2;
    positives += positive;
    start = end;
  }
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * (order.length - positives));
}

/** Returns the mean area over the classes that have samples, each against the rest, by the softmax of the logits. */
export function macroAuc(logits: Logits, labels: ArrayLike<number>): number {
  const { data, classes } = probabilities(logits);
  const column = (k: number) =>
    Float64Array.from({ length: data.length / classes }, (_, i) => present(data[i * classes + k]));
  const areas = Array.from({ length: classes }, (_, k) => rocAuc(column(k), (sample) => labels[sample] === k)).filter(
    (area) => !Number.isNaN(area),
  );
  return areas.reduce((sum, area) => sum + area, 0) / areas.length;
}

/** Compares scores. Infinite scores work too, whose difference would not be a number. */
const compared = (a: number, b: number): number => (a < b ? -1 : Number(a > b));
