/** Computes the loss of logistic regression around a point, along two directions of its weights. */
import { present } from '../../../training/arrays/index.ts';
import { range } from './range.ts';
import { mean, sum } from './statistics.ts';

export interface Landscape {
  /** The reach along either axis, in the same unit: from −`reach` to `reach`. */
  readonly reach: number;
  /** Rows from the bottom up, `[side, side]`: the loss above that in the middle. */
  readonly loss: readonly (readonly number[])[];
}

/** The two classes whose logits move apart. */
const contrast = [0, 1] as const;
const side = 33;

/**
 * Computes the softmax cross-entropy while the logits of two classes change by ± (a u·x + b v·x).
 *
 * @param logits the logits of each sample
 * @param along u·x and v·x of each sample
 */
export function landscapeOf(
  logits: readonly (readonly number[])[],
  labels: Int32Array,
  along: readonly [readonly number[], readonly number[]],
  reach: number,
): Landscape {
  const lossAt = (a: number, b: number) =>
    mean(
      logits.map((row, i) => {
        const step = a * present(along[0][i]) + b * present(along[1][i]);
        return crossEntropy(
          row.with(contrast[0], present(row[contrast[0]]) + step).with(contrast[1], present(row[contrast[1]]) - step),
          present(labels[i]),
        );
      }),
    );
  const middle = lossAt(0, 0);
  const place = (i: number) => reach * ((2 * i) / (side - 1) - 1);
  return { reach, loss: range(side).map((y) => range(side).map((x) => lossAt(place(x), place(y)) - middle)) };
}

function crossEntropy(row: readonly number[], label: number): number {
  const largest = Math.max(...row);
  return largest + Math.log(sum(row.map((z) => Math.exp(z - largest)))) - present(row[label]);
}

export const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += present(a[i]) * present(b[i]);
  return total;
};
