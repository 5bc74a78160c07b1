/** The layers with weights: dense and conv2d. */
import { elementCount } from '../../files/index.ts';
import { formatShape, GraphError } from '../../graph/index.ts';
import { type LayerRule, own, type TensorSpec } from '../rule.ts';
import { slideWindow } from './window.ts';

function weights(shape: readonly number[], bias: boolean): readonly TensorSpec[] {
  const [outputs = 0, ...inputs] = shape;
  const fanIn = elementCount(inputs);
  const weight: TensorSpec = { name: 'weight', shape, role: { kind: 'weight', fanIn } };
  return bias ? [weight, { name: 'bias', shape: [outputs], role: { kind: 'bias' } }] : [weight];
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
  outputShape: ({ channels, groups, ...window }, inputShape) => {
    const [, height, width] = slideWindow(window, inputShape);
    const [inputs = 0] = inputShape;
    if (inputs % groups !== 0 || channels % groups !== 0) {
      throw new GraphError(`expected channels that ${groups} groups divide, got ${inputs} -> ${channels}`);
    }
    return [channels, height, width];
  },
  // PyTorch's layout: [out, in / groups, kH, kW].
  tensors: ({ channels, kernel, groups }, [inputs = 0], bias) =>
    weights([channels, inputs / groups, kernel, kernel], bias),
  emit: ({ kernel, stride, padding, dilation, groups }, x, context) =>
    context.g.Conv(x, own(context, 'weight'), context.tensor('bias'), {
      kernel_shape: [kernel, kernel],
      strides: [stride, stride],
      pads: [padding, padding, padding, padding],
      dilations: [dilation, dilation],
      group: groups,
    }),
};
