/** Compares probabilities with frequencies: of the answers given with 80 %, are 80 % right? */
import { present } from '../../arrays/index.ts';
import type { Calibration } from '../../answers/index.ts';
import { type Logits, predictions, probabilities } from './classification.ts';

/** The number of bins of equal width from 0 to 1. */
const binCount = 10;

/**
 * Measures the calibration of the most probable class of each sample, ignoring any threshold: `logits [count,
 * classes]`, `labels [count]`.
 */
export function calibration(logits: Logits, labels: ArrayLike<number>): Calibration {
  const { data, classes } = probabilities(logits);
  const answers = predictions(logits);
  const sums = Array.from({ length: binCount }, () => ({ samples: 0, confidence: 0, right: 0 }));
  answers.forEach((answer, sample) => {
    if (answer < 0) return;
    const confidence = present(data[sample * classes + answer]);
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
