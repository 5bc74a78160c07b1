/** The layers with weights: dense and conv2d. */
import { formatShape, GraphError, type Value } from '../../graph/index.ts';
import type { EmitContext, LayerRule, TensorSpec } from '../rule.ts';

function weights(shape: readonly number[], bias: boolean): readonly TensorSpec[] {
  const [outputs = 0, ...inputs] = shape;
  const fanIn = inputs.reduce((product, dim) => product * dim, 1);
  const weight: TensorSpec = { name: 'weight', shape, role: { kind: 'weight', fanIn } };
  return bias ? [weight, { name: 'bias', shape: [outputs], role: { kind: 'bias' } }] : [weight];
}

/** A tensor that the layer always owns. */
export function own({ tensor }: EmitContext, name: string): Value {
  const value = tensor(name);
  if (!value) throw new Error(`internal: the layer has no ${name}`);
  return value;
}

export const dense: LayerRule<'dense'> = {
  outputShape: ({ units }, inputShape) => {
    if (inputShape.length !== 1) {
      throw new GraphError(`expected a vector of features, got ${formatShape(inputShape)}; put flatten before it`);
    }
    return [units];
  },
  // PyTorch's layout: [out, in].
  tensors: ({ units }, [features = 0], bias) => weights([units, features], bias),
  emit: (_layer, x, context) => context.g.Gemm(x, own(context, 'weight'), context.tensor('bias'), { transB: 1 }),
};

export const conv2d: LayerRule<'conv2d'> = {
  outputShape: ({ channels, kernel, stride, padding }, inputShape) => {
    const [, height = 0, width = 0] = inputShape;
    if (inputShape.length !== 3) throw new GraphError(`expected an image [C, H, W], got ${formatShape(inputShape)}`);
    const slide = (size: number) => Math.floor((size + 2 * padding - kernel) / stride) + 1;
    if (slide(Math.min(height, width)) < 1) {
      throw new GraphError(
        `expected an image of at least ${kernel - 2 * padding} pixels, got ${formatShape(inputShape)}`,
      );
    }
    return [channels, slide(height), slide(width)];
  },
  // PyTorch's layout: [out, in, kH, kW].
  tensors: ({ channels, kernel }, [inputs = 0], bias) => weights([channels, inputs, kernel, kernel], bias),
  emit: ({ kernel, stride, padding }, x, context) =>
    context.g.Conv(x, own(context, 'weight'), context.tensor('bias'), {
      kernel_shape: [kernel, kernel],
      strides: [stride, stride],
      pads: [padding, padding, padding, padding],
      dilations: [1, 1],
      group: 1,
    }),
};
