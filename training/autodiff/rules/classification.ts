/** Gradients of the classification ops. */
import { type GraphBuilder, known, type OpType, type Value } from '../../graph/index.ts';
import type { RuleTable } from '../rule.ts';

/** Returns 1 where the class is the label, otherwise 0: labels `[N]` -> `[N, K]`. */
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

  // L = −1/N Σ ℓ[label] with ℓ = log softmax(scores):
  // dscores = 1/N (softmax(scores) − onehot(label)) · dL  +  dℓ − softmax(scores) Σ dℓ
  SoftmaxCrossEntropyLoss: (g, { inputs: [scores, labels], outputs: [, log_prob], attributes }, [dLoss, dLogProb]) => {
    const probabilities = g.Exp(log_prob);
    const fromLoss = (dL: Value): Value => {
      const N = attributes.reduction === 'mean' ? known('the mini-batch', scores.shape[0]) : 1;
      return g.Mul(g.Sub(probabilities, oneHot(g, labels, scores)), g.Div(dL, g.scalar(N)));
    };
    const fromLogProb = (d: Value): Value =>
      g.Sub(d, g.Mul(probabilities, g.ReduceSum(d, g.ints([1]), { keepdims: 1 })));
    const parts = [...(dLoss ? [fromLoss(dLoss)] : []), ...(dLogProb ? [fromLogProb(dLogProb)] : [])];
    return [parts.reduce((sum, part) => g.Add(sum, part)), null];
  },
} satisfies Partial<RuleTable<OpType>>;
