/** Evaluates the ops that turn scores into probabilities and losses. */
import type { OpType } from '../../../training/graph/index.ts';
import { build, dim, fromFront, type NdArray, range, read, scalar } from '../ndarray.ts';
import type { EvaluatorTable } from './evaluator.ts';

/** Returns log Σ exp along an axis, for every index of the array. */
function logSoftmax(input: NdArray, axis: number): NdArray {
  const at = fromFront(axis, input.shape.length);
  return build(input.shape, (index) => {
    const row = range(dim(input.shape, at)).map((i) => read(input, index.with(at, i)));
    const largest = Math.max(...row);
    const logSum = largest + Math.log(row.reduce((sum, x) => sum + Math.exp(x - largest), 0));
    return read(input, index) - logSum;
  });
}

export const classification = {
  Softmax: ([input], { axis }) => {
    const { shape, data } = logSoftmax(input, axis);
    return [{ shape, data: data.map(Math.exp) }];
  },
  SoftmaxCrossEntropyLoss: ([scores, labels], { reduction }) => {
    const log_prob = logSoftmax(scores, 1);
    const N = dim(scores.shape, 0);
    const total = range(N).reduce((sum, n) => sum - read(log_prob, [n, read(labels, [n])]), 0);
    return [scalar(reduction === 'mean' ? total / N : total), log_prob];
  },
} satisfies Partial<EvaluatorTable<OpType>>;
