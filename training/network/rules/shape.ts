/** The layers that change the shape: pooling and flatten. */
import { elementCount } from '../../arrays/index.ts';
import { formatShape, GraphError } from '../../graph/index.ts';
import type { LayerRule } from '../rule.ts';
import { slideWindow, type SquareWindow } from './window.ts';

const windowOf = ({ kernel, stride }: SquareWindow) => ({
  kernel_shape: [kernel, kernel],
  strides: [stride, stride],
  pads: [0, 0, 0, 0],
});

export const maxPool: LayerRule<'maxPool'> = {
  outputShape: slideWindow,
  tensors: () => [],
  emit: (layer, x, { g }) => {
    const [y] = g.MaxPool(x, windowOf(layer));
    return y;
  },
};

export const averagePool: LayerRule<'averagePool'> = {
  outputShape: slideWindow,
  tensors: () => [],
  emit: (layer, x, { g }) => g.AveragePool(x, windowOf(layer)),
};

export const globalAveragePool: LayerRule<'globalAveragePool'> = {
  outputShape: (_layer, inputShape) => {
    if (inputShape.length !== 3) throw new GraphError(`expected an image [C, H, W], got ${formatShape(inputShape)}`);
    return inputShape.slice(0, 1);
  },
  tensors: () => [],
  emit: (_layer, x, { g }) => g.ReduceMean(x, g.ints([2, 3]), { keepdims: 0 }),
};

export const flatten: LayerRule<'flatten'> = {
  outputShape: (_layer, inputShape) => [elementCount(inputShape)],
  tensors: () => [],
  emit: (_layer, x, { g }) => g.Flatten(x, { axis: 1 }),
};
