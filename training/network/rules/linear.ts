/** The layers with weights: dense and conv2d. */
import { at, elementCount } from '../../arrays/index.ts';
import { formatShape, type GraphBuilder, GraphError, type Value } from '../../graph/index.ts';
import { type LayerRule, requiredTensor, type TensorSpec } from '../rule.ts';
import { slideWindow } from './window.ts';

function weights(shape: readonly number[], bias: boolean): readonly TensorSpec[] {
  const fanIn = elementCount(shape.slice(1));
  const weight: TensorSpec = { name: 'weight', shape, role: { kind: 'weight', fanIn } };
  return bias ? [weight, { name: 'bias', shape: shape.slice(0, 1), role: { kind: 'bias' } }] : [weight];
}

export const dense: LayerRule<'dense'> = {
  outputShape: ({ units }, inputShape) => {
    if (inputShape.length !== 1 && inputShape.length !== 2) {
      throw new GraphError(`expected a vector of features, got ${formatShape(inputShape)}; put flatten before it`);
    }
    return [...inputShape.slice(0, -1), units];
  },
  // PyTorch's layout: [out, in].
  tensors: ({ units }, inputShape, bias) => weights([units, at(inputShape, inputShape.length - 1)], bias),
  emit: ({ units }, x, context) => {
    const [weight, bias] = [requiredTensor(context, 'weight'), context.tensor('bias')];
    return x.shape.length === 3
      ? shared(context.g, x, weight, bias, units)
      : context.g.Gemm(x, weight, bias, { transB: 1 });
  },
};

/**
 * Emits a dense layer that the members share: `[N, members, I] -> [N, members, units]`. It is one product of N ·
 * members rows where N is known.
 */
function shared(g: GraphBuilder, x: Value, weight: Value, bias: Value | undefined, units: number): Value {
  const [samples, members, features] = x.shape;
  if (typeof samples === 'number') {
    const rows = g.Gemm(g.Reshape(x, g.ints([-1, Number(features)])), weight, bias, { transB: 1 });
    return g.Reshape(rows, g.ints([samples, Number(members), units]));
  }
  const y = g.MatMul(x, g.Transpose(weight, { perm: [1, 0] }));
  return bias ? g.Add(y, bias) : y;
}

export const conv2d: LayerRule<'conv2d'> = {
  outputShape: ({ channels, groups, ...window }, inputShape) => {
    const [, height, width] = slideWindow(window, inputShape);
    const inputs = at(inputShape, 0);
    if (inputs % groups !== 0 || channels % groups !== 0) {
      throw new GraphError(`expected channels that ${groups} groups divide, got ${inputs} -> ${channels}`);
    }
    return [channels, height, width];
  },
  // PyTorch's layout: [out, in / groups, kH, kW].
  tensors: ({ channels, kernel, groups }, inputShape, bias) =>
    weights([channels, at(inputShape, 0) / groups, kernel, kernel], bias),
  emit: ({ kernel, stride, padding, dilation, groups }, x, context) =>
    context.g.Conv(x, requiredTensor(context, 'weight'), context.tensor('bias'), {
      kernel_shape: [kernel, kernel],
      strides: [stride, stride],
      pads: [padding, padding, padding, padding],
      dilations: [dilation, dilation],
      group: groups,
    }),
};
