/** Whether probabilities mean what they say: of the answers given with 80 %, are 80 % right? */
import { type Logits, predictions, probabilities } from './classification.ts';

/** The samples whose answer has a probability within a stretch. */
export interface CalibrationBin {
  readonly from: number;
  readonly to: number;
  readonly samples: number;
  /** The mean probability of the answers. */
  readonly confidence: number;
  /** The share of them that are right. */
  readonly accuracy: number;
}

export interface Calibration {
  /** The mean distance between both over the samples, the expected calibration error: Guo et al., https://arxiv.org/abs/1706.04599 */
  readonly error: number;
  /** Those with samples, in order. */
  readonly bins: readonly CalibrationBin[];
}

const binCount = 10;

export function calibration(logits: Logits, labels: ArrayLike<number>): Calibration {
  const { data, classes } = probabilities(logits);
  const answers = predictions(logits);
  const sums = Array.from({ length: binCount }, () => ({ samples: 0, confidence: 0, right: 0 }));
  answers.forEach((answer, sample) => {
    const confidence = data[sample * classes + answer] ?? NaN;
    const bin = sums[Math.min(binCount - 1, Math.floor(confidence * binCount))];
    if (!bin) return;
    bin.samples++;
    bin.confidence += confidence;
    bin.right += Number(answer === labels[sample]);
  });
  const bins = sums.flatMap(({ samples, confidence, right }, i) => {
    if (samples === 0) return [];
    const [from, to] = [i / binCount, (i + 1) / binCount];
    return [{ from, to, samples, confidence: confidence / samples, accuracy: right / samples }];
  });
  const distance = bins.reduce(
    (sum, { samples, confidence, accuracy }) => sum + samples * Math.abs(confidence - accuracy),
    0,
  );
  return { error: distance / answers.length, bins };
}
