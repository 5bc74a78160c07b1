/**
 * Layer Norm: normalizes each sample by the mean and variance of its own activations, in training and inference alike.
 */
import { requiredTensor, type LayerRule } from '../rule.ts';

export const layerNorm: LayerRule<'layerNorm'> = {
  outputShape: (_layer, inputShape) => inputShape,
  // PyTorch's layout, with the whole sample as normalized_shape.
  tensors: (_layer, inputShape) => [
    { name: 'weight', shape: inputShape, role: { kind: 'scale' } },
    { name: 'bias', shape: inputShape, role: { kind: 'bias' } },
  ],
  emit: ({ epsilon }, x, context) => {
    const [y] = context.g.LayerNormalization(x, requiredTensor(context, 'weight'), requiredTensor(context, 'bias'), {
      axis: 1,
      epsilon,
    });
    return y;
  },
};
