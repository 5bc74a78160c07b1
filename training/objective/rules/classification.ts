/** The objectives with classes: multi-class and binary cross-entropy. */
import { type GraphBuilder, known, type Tensor, type Value } from '../../graph/index.ts';
import { accuracy, classLogits, crossEntropy } from '../metrics/classification.ts';
import type { ObjectiveSettings } from '../objective.ts';
import type { ObjectiveRule } from '../rule.ts';

/** Plain cross-entropy, without smoothing or weights, so that runs compare. */
const evaluate = (_objective: unknown, output: Float32Array, labels: ArrayLike<number>) => {
  const logits = classLogits(output, labels.length);
  return { loss: crossEntropy(logits, labels), accuracy: accuracy(logits, labels) };
};

const summarize = (loss: number, correct: number, count: number) => ({ loss, accuracy: correct / count });

const all = (g: GraphBuilder, values: Value): Value =>
  g.ints(Array.from({ length: values.shape.length }, (_, axis) => axis));

const countOf = (g: GraphBuilder, hits: Value): Value => {
  const ones = g.Cast(hits, { to: 'float32' });
  return g.ReduceSum(ones, all(g, ones), { keepdims: 0 });
};

export const multiclass: ObjectiveRule<'multiclass'> = {
  task: 'classification',
  targets: 'int32',
  outputs: (classes) => classes,
  emitLoss: (g, objective, output, labels) => {
    const [loss, log_prob] = g.SoftmaxCrossEntropyLoss(output, labels, { reduction: 'mean' });
    if (objective.labelSmoothing === 0 && !objective.classWeights) return loss;
    // L = −1/B Σ over samples Σ over classes t · log softmax(output), where t is the row of the label
    const table = g.initializer('targets', targetTable(objective, known('classes', output.shape[1])));
    const targets = g.Gather(table, labels, { axis: 0 });
    const sum = g.ReduceSum(g.Mul(targets, log_prob), g.ints([0, 1]), { keepdims: 0 });
    return g.Div(g.Neg(sum), g.scalar(known('the mini-batch', output.shape[0])));
  },
  emitScore: (g, output, labels) =>
    countOf(g, g.Equal(g.ArgMax(output, { axis: 1, keepdims: 0 }), g.Cast(labels, { to: 'int64' }))),
  summarize,
  evaluate,
};

/** For each label the probabilities that the network should give, times the weight of the class: `[K, K]`. */
function targetTable({ labelSmoothing, classWeights }: ObjectiveSettings['multiclass'], K: number): Tensor<'float32'> {
  const data = Float32Array.from({ length: K * K }, (_, i) => {
    const [label, k] = [Math.floor(i / K), i % K];
    const probability = labelSmoothing / K + (label === k ? 1 - labelSmoothing : 0);
    return probability * (classWeights?.[label] ?? 1);
  });
  return { dtype: 'float32', shape: [K, K], data };
}

/** The labels as a column beside the one logit: `[B] -> [B, 1]`. */
const column = (g: GraphBuilder, labels: Value): Value => g.Cast(g.Reshape(labels, g.ints([-1, 1])), { to: 'float32' });

export const binary: ObjectiveRule<'binary'> = {
  task: 'classification',
  targets: 'int32',
  outputs: () => 1,
  // −y ln σ(z) − (1 − y) ln(1 − σ(z)) = softplus(z) − y z
  emitLoss: (g, _objective, z, labels) => {
    const loss = g.Sub(g.Softplus(z), g.Mul(column(g, labels), z));
    return g.ReduceMean(loss, all(g, loss), { keepdims: 0 });
  },
  emitScore: (g, z, labels) =>
    countOf(g, g.Equal(g.Cast(g.Greater(z, g.scalar(0)), { to: 'float32' }), column(g, labels))),
  summarize,
  evaluate,
};
