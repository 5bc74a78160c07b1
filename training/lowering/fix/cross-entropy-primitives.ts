/**
 * The classification loss in elementary ops, for runtimes without the composite, and for the compiler:
 *
 *     SoftmaxCrossEntropyLoss(x, labels)     becomes
 *
 *     log_prob = x − max x − log Σ exp(x − max x)        loss_n = −Σ_k 1[k = label_n] · log_prob_nk
 *
 * The largest score is subtracted first, so that no exponential overflows. On the CPU, whose runtime has the composite,
 * it changes little: without it steps take 0.97 to 1.03 times as long (`npm run bench:lowering`).
 */
import { type GraphBuilder, known, type OpNode, type Value } from '../../graph/index.ts';
import { replacing } from '../rewrite.ts';

const keep = { keepdims: 1 } as const;
const fold = { keepdims: 0 } as const;

export const crossEntropyPrimitives = replacing({
  SoftmaxCrossEntropyLoss: (g, node) => {
    const log_prob = logSoftmax(g, node.inputs[0]);
    return [loss(g, log_prob, node), log_prob];
  },
});

/** `[N, K] -> [N, K]` */
function logSoftmax(g: GraphBuilder, scores: Value): Value {
  const classes = g.ints([1]);
  const shifted = g.Sub(scores, g.ReduceMax(scores, classes, keep));
  return g.Sub(shifted, g.Log(g.ReduceSum(g.Exp(shifted), classes, keep)));
}

function loss(
  g: GraphBuilder,
  log_prob: Value,
  { inputs: [, labels], attributes: { reduction } }: OpNode<'SoftmaxCrossEntropyLoss'>,
): Value {
  const classes = known('the classes', log_prob.shape[1]);
  const data = Int32Array.from({ length: classes }, (_, k) => k);
  const numbers = g.initializer('classes', { dtype: 'int32', shape: [classes], data });
  const column = g.Reshape(labels.dtype === 'int32' ? labels : g.Cast(labels, { to: 'int32' }), g.ints([-1, 1]));
  const isLabel = g.Cast(g.Equal(column, numbers), { to: log_prob.dtype });
  const perSample = g.Neg(g.ReduceSum(g.Mul(isLabel, log_prob), g.ints([1]), fold));
  return reduction === 'mean' ? g.ReduceMean(perSample, g.ints([0]), fold) : g.ReduceSum(perSample, g.ints([0]), fold);
}
