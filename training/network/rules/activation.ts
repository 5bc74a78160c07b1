/** The layers without weights that act on each activation: nonlinearities and dropout. */
import { type GraphBuilder, knownSizes, type Value } from '../../graph/index.ts';
import type { LayerOf } from '../schema.ts';
import { type LayerRule, modes, type RuledKind } from '../rule.ts';

const elementwise = <K extends RuledKind>(
  emit: (g: GraphBuilder, x: Value, layer: LayerOf<K>) => Value,
): LayerRule<K> => ({
  outputShape: (_layer, inputShape) => inputShape,
  tensors: () => [],
  emit: (layer, x, { g }) => emit(g, x, layer),
});

export const relu = elementwise<'relu'>((g, x) => g.Relu(x));
export const leakyRelu = elementwise<'leakyRelu'>((g, x, { slope }) => g.LeakyRelu(x, { alpha: slope }));
export const sigmoid = elementwise<'sigmoid'>((g, x) => g.Sigmoid(x));
export const tanh = elementwise<'tanh'>((g, x) => g.Tanh(x));
export const softmax = elementwise<'softmax'>((g, x) => g.Softmax(x, { axis: 1 }));

// x Φ(x) = ½ x (1 + erf(x / √2))
export const gelu = elementwise<'gelu'>((g, x) => {
  const erf = g.Erf(g.Mul(x, g.scalar(Math.SQRT1_2)));
  return g.Mul(g.Mul(x, g.scalar(0.5)), g.Add(erf, g.scalar(1)));
});

/** Dropout by Srivastava et al. 2014, scaled in training ("inverted"), so that inference is the identity. */
export const dropout: LayerRule<'dropout'> = {
  outputShape: (_layer, inputShape) => inputShape,
  tensors: () => [],
  emit: ({ rate }, x, { g, mode, uniform }) => {
    if (!modes[mode].dropout || rate === 0) return x;
    const shape = knownSizes(x.shape);
    const kept = g.Cast(g.GreaterOrEqual(uniform(shape), g.scalar(rate)), { to: 'float32' });
    return g.Mul(x, g.Mul(kept, g.scalar(1 / (1 - rate))));
  },
};
