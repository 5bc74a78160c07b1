/**
 * Members of an ensemble that share every matrix: their signs, which make them differ, and their heads. In the shapes
 * for Reshape a 0 keeps the number of samples, which may be 0.
 */
import { at } from '../../arrays/index.ts';
import { formatShape, type GraphBuilder, GraphError, type Value } from '../../graph/index.ts';
import type { LayerOf } from '../schema.ts';
import { type LayerRule, requiredTensor } from '../rule.ts';

/** y = r ⊙ x, with a vector r for each member. */
export const members: LayerRule<'members'> = {
  outputShape: ({ count }, inputShape) => {
    if (inputShape.length !== 1) throw new GraphError(`expected a vector of features, got ${formatShape(inputShape)}`);
    return [count, ...inputShape];
  },
  tensors: ({ count }, inputShape) => [{ name: 'weight', shape: [count, ...inputShape], role: { kind: 'sign' } }],
  emit: (_layer, x, context) => {
    const { g } = context;
    return g.Mul(g.Reshape(x, g.ints([0, 1, Number(x.shape[1])])), requiredTensor(context, 'weight'));
  },
};

/** z = x H + b, with H and b for each member; then the mean over the members. */
export const heads: LayerRule<'heads'> = {
  outputShape: ({ units, average }, inputShape) => {
    if (inputShape.length !== 2) {
      throw new GraphError(`expected members with features, got ${formatShape(inputShape)}; put members before it`);
    }
    if (average === 'softmax' && units === 1) {
      throw new GraphError('expected 2 units or more for the average of softmax, got 1; sigmoid and values take one');
    }
    return [units];
  },
  // Half of the deviation that He et al. propose for this fan-in, so that members start with uncertain answers.
  tensors: ({ units }, inputShape) => {
    const [count, features] = [at(inputShape, 0), at(inputShape, 1)];
    return [
      { name: 'weight', shape: [count, features, units], role: { kind: 'weight', fanIn: 4 * features } },
      { name: 'bias', shape: [count, units], role: { kind: 'bias' } },
    ];
  },
  emit: ({ average }, x, context) => {
    const { g } = context;
    const z = g.Add(products(g, x, requiredTensor(context, 'weight')), requiredTensor(context, 'bias'));
    context.reportMembers(z);
    return averages[average](g, z);
  },
};

/**
 * Multiplies `[N, members, D]` by `[members, D, units]`. Where N is known, it emits a product for each member.
 * Elsewhere each sample is multiplied on its own, which also works for an empty batch and can be compiled.
 */
function products(g: GraphBuilder, x: Value, weight: Value): Value {
  const [samples, count, features] = x.shape;
  if (typeof samples === 'number') {
    const perm = [1, 0, 2];
    return g.Transpose(g.MatMul(g.Transpose(x, { perm }), weight), { perm });
  }
  const column = g.Reshape(x, g.ints([0, Number(count), Number(features), 1]));
  return g.ReduceSum(g.Mul(column, weight), g.ints([2]), { keepdims: 0 });
}

/** The averages over members, from `[N, members, units]` to `[N, units]`. */
const averages: {
  readonly [A in LayerOf<'heads'>['average']]: (g: GraphBuilder, z: Value) => Value;
} = {
  values: (g, z) => g.ReduceMean(z, g.ints([1]), { keepdims: 0 }),
  // ln p̄ = ln Σ over members of softmax(z) − ln k, whose softmax is p̄. Subtracting ln k does not change the softmax,
  // but makes the result ln p̄ itself.
  softmax: (g, z) => {
    const shares = g.Sub(z, logSumExp(g, z, 2, 1));
    return g.Sub(logSumExp(g, shares, 1, 0), g.scalar(Math.log(Number(z.shape[1]))));
  },
  // ln p̄ − ln (1 − p̄), with ln σ(z) = −softplus(−z)
  sigmoid: (g, z) => {
    const logMean = (logits: Value) => logSumExp(g, g.Neg(g.Softplus(g.Neg(logits))), 1, 0);
    return g.Sub(logMean(z), logMean(g.Neg(z)));
  },
};

/** ln Σ eˣ = m + ln Σ eˣ⁻ᵐ with m = max x, which stays within float32. */
function logSumExp(g: GraphBuilder, x: Value, axis: number, keepdims: 0 | 1): Value {
  const axes = g.ints([axis]);
  const largest = g.ReduceMax(x, axes, { keepdims: 1 });
  const sum = g.Log(g.ReduceSum(g.Exp(g.Sub(x, largest)), axes, { keepdims }));
  return g.Add(sum, keepdims ? largest : g.ReduceMax(x, axes, { keepdims }));
}
