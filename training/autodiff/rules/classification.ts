/** Gradients of the classification ops. */
import { type GraphBuilder, GraphError, known, type OpType, type Value } from '../../graph/index.ts';
import type { RuleTable } from '../rule.ts';

/** 1 where the class is the label, else 0: labels `[N]` -> `[N, K]`. */
function oneHot(g: GraphBuilder, labels: Value, like: Value): Value {
  const classes = Array.from({ length: known('the classes', like.shape[1]) }, (_, k) => BigInt(k));
  const indices = g.initializer('classes', {
    dtype: 'int64',
    shape: [1, classes.length],
    data: BigInt64Array.from(classes),
  });
  const column = g.Reshape(g.Cast(labels, { to: 'int64' }), g.ints([-1, 1]));
  return g.Cast(g.Equal(column, indices), { to: like.dtype });
}

export const classification = {
  // Y = softmax(X):  dX = Y · (dY − Σ dY · Y)
  Softmax: (g, { outputs: [Y], attributes: { axis } }, [dY]) => {
    const dot = g.ReduceSum(g.Mul(dY, Y), g.ints([axis]), { keepdims: 1 });
    return [g.Mul(Y, g.Sub(dY, dot))];
  },

  // L = −1/N Σ log softmax(scores)[label]:  dscores = 1/N (softmax(scores) − onehot(label)) · dL
  SoftmaxCrossEntropyLoss: (g, { inputs: [scores, labels], outputs: [, log_prob], attributes }, [dLoss, dLogProb]) => {
    if (!dLoss || dLogProb) throw new GraphError('expected the loss alone to be differentiated');
    const N = attributes.reduction === 'mean' ? known('the mini-batch', scores.shape[0]) : 1;
    const difference = g.Sub(g.Exp(log_prob), oneHot(g, labels, scores));
    return [g.Mul(difference, g.Div(dLoss, g.scalar(N))), null];
  },
} satisfies Partial<RuleTable<OpType>>;
