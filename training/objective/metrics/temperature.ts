/**
 * Fits the temperature that logits are divided by to calibrate probabilities. Guo et al.,
 * https://arxiv.org/abs/1706.04599
 */
import { present } from '../../arrays/index.ts';
import type { Logits } from './classification.ts';

/** The minimum number of samples. With fewer, a temperature does more harm than good. */
const MIN_SAMPLES = 400;

/** The limits of ln T. */
const [MIN, MAX] = [-1.4, 2.1];
const STEPS = 30;

/** Returns the network's output divided by a temperature, in float32 as the exported file computes it. */
export function scaledBy(output: Float32Array, temperature: number | undefined): Float32Array {
  if (temperature === undefined) return output;
  const factor = Math.fround(1 / temperature);
  return output.map((z) => z * factor);
}

/**
 * Finds the temperature that minimizes the log loss of `logits [count, classes]`, by golden-section search over its
 * logarithm. A share K / (count + K) of each target spreads over the K classes (Platt's targets), so that samples
 * without an error do not demand certainty.
 *
 * @returns undefined for fewer than 400 samples, and where the temperature does not lower the plain log loss
 */
export function temperatureOf(logits: Logits, labels: ArrayLike<number>): number | undefined {
  if (labels.length < MIN_SAMPLES) return undefined;
  const golden = (Math.sqrt(5) - 1) / 2;
  const smoothed = (lnT: number): number => lossesAt(Math.exp(lnT), logits, labels).smoothed;
  let [low, high] = [MIN, MAX];
  for (let step = 0; step < STEPS; step++) {
    const [left, right] = [high - golden * (high - low), low + golden * (high - low)];
    if (smoothed(left) < smoothed(right)) high = right;
    else low = left;
  }
  const temperature = Number(Math.exp((low + high) / 2).toPrecision(6));
  return lossesAt(temperature, logits, labels).plain < lossesAt(1, logits, labels).plain ? temperature : undefined;
}

/** The maximum loss that one class of one sample adds: members have no smaller probabilities in float32. */
const MAX_SURPRISE = 16.1;

/**
 * Returns the mean of −log softmax(z / T)[label] (`plain`), and the same with a share of the target spread over all
 * classes (`smoothed`).
 */
function lossesAt(temperature: number, { data, classes }: Logits, labels: ArrayLike<number>) {
  const count = labels.length;
  const spread = classes / (count + classes);
  let [plain, smoothed] = [0, 0];
  for (let sample = 0; sample < count; sample++) {
    const at = (k: number): number => present(data[sample * classes + k]) / temperature;
    let largest = -Infinity;
    for (let k = 0; k < classes; k++) largest = Math.max(largest, at(k));
    let sum = 0;
    for (let k = 0; k < classes; k++) sum += Math.exp(at(k) - largest);
    const logSum = largest + Math.log(sum);
    let all = 0;
    for (let k = 0; k < classes; k++) all += Math.min(logSum - at(k), MAX_SURPRISE);
    const own = logSum - at(present(labels[sample]));
    plain += own / count;
    smoothed += ((1 - spread) * Math.min(own, MAX_SURPRISE) + (spread * all) / classes) / count;
  }
  return { plain, smoothed };
}
