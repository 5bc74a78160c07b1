/** Measures how good a classifier's answers and probabilities are. */
import { present } from '../../../training/arrays/index.ts';
import { accuracy, classLogits, crossEntropy, predictions, probabilities } from '../../../training/objective/index.ts';
import { sum } from './statistics.ts';

export interface Quality {
  readonly accuracy: number;
  /** The mean cross-entropy. */
  readonly loss: number;
  /** The expected calibration error, defined below. */
  readonly calibration: number;
}

const bins = 15;

/**
 * Computes accuracy, loss and the expected calibration error of Naeini et al.,
 * https://ojs.aaai.org/index.php/AAAI/article/view/9602, over 15 bins of the confidence, which is the probability of
 * the answered class:
 *
 *     ECE = Σ over bins  share of the samples · |accuracy − mean confidence|
 *
 * @param output logits `[count, classes]`
 */
export function qualityOf(output: Float32Array, labels: Int32Array): Quality {
  const logits = classLogits(output, labels.length);
  const answers = predictions(logits);
  const { data, classes } = probabilities(logits);
  const gaps = new Float64Array(bins);
  answers.forEach((answer, sample) => {
    const confidence = present(data[sample * classes + answer]);
    const bin = Math.min(bins - 1, Math.floor(confidence * bins));
    gaps[bin] = present(gaps[bin]) + Number(answer === labels[sample]) - confidence;
  });
  return {
    accuracy: accuracy(logits, labels),
    loss: crossEntropy(logits, labels),
    calibration: sum(gaps.map(Math.abs)) / labels.length,
  };
}
