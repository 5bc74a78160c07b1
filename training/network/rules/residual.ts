/** Residual blocks: y = layers(x) + shortcut(x). */
import { formatShape, GraphError, sameShape } from '../../graph/index.ts';
import type { LayerRule } from '../rule.ts';

export const residual: LayerRule<'residual'> = {
  chains: ({ layers, shortcut }) => ({ layers, shortcut }),
  outputShape: (_layer, _inputShape, { layers = [], shortcut = [] }) => {
    if (!sameShape(layers, shortcut)) {
      throw new GraphError(
        `expected layers and shortcut of one shape, got ${formatShape(layers)} and ${formatShape(shortcut)}`,
      );
    }
    return layers;
  },
  tensors: () => [],
  emit: (_layer, x, { g, chain }) =>
    g.Add(
      chain('layers', x),
      g.scoped('shortcut', () => chain('shortcut', x)),
    ),
};
