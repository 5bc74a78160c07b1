/** The probability from which on one of two classes is told, chosen by what its errors cost. */

/** What is made small, or for F1 large: each error of a kind costs so much. */
export type ThresholdRule = 'f1' | { readonly fp: number; readonly fn: number };

/** How often each of two classes was told rightly and wrongly, seen from the positive one. */
interface Counts {
  readonly tp: number;
  readonly fp: number;
  readonly fn: number;
}

/** Smaller is better: the cost of the errors, or −F1 = −2 TP / (2 TP + FP + FN). */
function costOf(rule: ThresholdRule, { tp, fp, fn }: Counts): number {
  if (rule === 'f1') return tp === 0 ? 0 : -(2 * tp) / (2 * tp + fp + fn);
  return rule.fp * fp + rule.fn * fn;
}

/**
 * The threshold of the least cost, halfway between two probabilities; of several that are as good the nearest to fp / (fp + fn), which is
 * the best one of probabilities that mean what they say, or for F1 to a half.
 *
 * @param probabilities of the positive class, `[count]`
 * @param isPositive `[count]`
 */
export function bestThreshold(
  rule: ThresholdRule,
  probabilities: readonly number[],
  isPositive: readonly boolean[],
): number {
  const order = [...probabilities.keys()].sort((a, b) => (probabilities[b] ?? 0) - (probabilities[a] ?? 0));
  const positives = isPositive.filter(Boolean).length;
  const target = rule === 'f1' ? 0.5 : rule.fp / (rule.fp + rule.fn);
  let best = { at: 1, cost: costOf(rule, { tp: 0, fp: 0, fn: positives }) };
  let [tp, fp] = [0, 0];
  order.forEach((sample, i) => {
    if (isPositive[sample]) tp++;
    else fp++;
    const [own, next] = [probabilities[sample] ?? NaN, probabilities[order[i + 1] ?? NaN] ?? 0];
    // Samples of the same probability are told together.
    if (own === next) return;
    const cost = costOf(rule, { tp, fp, fn: positives - tp });
    const at = rounded(own, next);
    const isNearer = Math.abs(at - target) < Math.abs(best.at - target);
    if (cost < best.cost || (cost === best.cost && isNearer)) best = { at, cost };
  });
  return best.at;
}

/** Between both, with as few digits as tell them apart. */
function rounded(high: number, low: number): number {
  const middle = (high + low) / 2;
  for (let digits = 2; digits < 17; digits++) {
    const at = Number(middle.toFixed(digits));
    if (at <= high && at > low) return at;
  }
  return middle > low ? middle : high;
}
