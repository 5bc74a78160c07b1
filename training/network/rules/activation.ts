/** The layers without weights: relu and dropout. */
import { known } from '../../graph/index.ts';
import { type LayerRule, modes } from '../rule.ts';

export const relu: LayerRule<'relu'> = {
  outputShape: (_layer, inputShape) => inputShape,
  tensors: () => [],
  emit: (_layer, x, { g }) => g.Relu(x),
};

/** Srivastava et al. 2014, scaled in training ("inverted"), so that inference is the identity. */
export const dropout: LayerRule<'dropout'> = {
  outputShape: (_layer, inputShape) => inputShape,
  tensors: () => [],
  emit: ({ rate }, x, { g, mode, uniform }) => {
    if (!modes[mode].dropout || rate === 0) return x;
    const shape = x.shape.map((dim) => known('a dimension of dropout', dim));
    const kept = g.Cast(g.GreaterOrEqual(uniform(shape), g.scalar(rate)), { to: 'float32' });
    return g.Mul(x, g.Mul(kept, g.scalar(1 / (1 - rate))));
  },
};
