/** Chooses the probability from which the positive one of two classes is the answer, by the cost of its errors. */
import { present } from '../../arrays/index.ts';

/** The measure that the threshold optimizes: F1, or the cost of false positives and false negatives. */
export type ThresholdRule = 'f1' | { readonly fp: number; readonly fn: number };

/** True positives, false positives and false negatives. */
interface Counts {
  readonly tp: number;
  readonly fp: number;
  readonly fn: number;
}

/** Returns the cost, where smaller is better: that of the errors, or −F1 = −2 TP / (2 TP + FP + FN). */
function costOf(rule: ThresholdRule, { tp, fp, fn }: Counts): number {
  if (rule === 'f1') return tp === 0 ? 0 : -(2 * tp) / (2 * tp + fp + fn);
  return rule.fp * fp + rule.fn * fn;
}

/**
 * Finds the threshold of minimum cost, halfway between two probabilities. Of several equally good ones it takes the
 * nearest to fp / (fp + fn), which is optimal for calibrated probabilities, or for F1 the nearest to a half.
 *
 * @param probabilities of the positive class, `[count]`
 * @param isPositive `[count]`
 */
export function bestThreshold(
  rule: ThresholdRule,
  probabilities: readonly number[],
  isPositive: readonly boolean[],
): number {
  const probabilityOf = (sample: number): number => present(probabilities[sample]);
  const order = [...probabilities.keys()].sort((a, b) => probabilityOf(b) - probabilityOf(a));
  const positives = isPositive.filter(Boolean).length;
  const target = rule === 'f1' ? 0.5 : rule.fp / (rule.fp + rule.fn);
  let best = { at: 1, cost: costOf(rule, { tp: 0, fp: 0, fn: positives }) };
  let [tp, fp] = [0, 0];
  order.forEach((sample, i) => {
    if (isPositive[sample]) tp++;
    else fp++;
    const following = order[i + 1];
    const [own, next] = [probabilityOf(sample), following === undefined ? 0 : probabilityOf(following)];
    // Samples of the same probability fall on the same side of a threshold.
    if (own === next) return;
    const cost = costOf(rule, { tp, fp, fn: positives - tp });
    const at = rounded(own, next);
    const isNearer = Math.abs(at - target) < Math.abs(best.at - target);
    if (cost < best.cost || (cost === best.cost && isNearer)) best = { at, cost };
  });
  return best.at;
}

/** Returns a number between both, with as few digits as separate them. */
function rounded(high: number, low: number): number {
  const middle = (high + low) / 2;
  for (let digits = 2; digits < 17; digits++) {
    const at = Number(middle.toFixed(digits));
    if (at <= high && at > low) return at;
  }
  return middle > low ? middle : high;
}
