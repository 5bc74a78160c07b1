/** The layers that change the shape: maxPool and flatten. */
import { formatShape, GraphError } from '../../graph/index.ts';
import type { LayerRule } from '../rule.ts';

export const maxPool: LayerRule<'maxPool'> = {
  outputShape: ({ kernel, stride }, inputShape) => {
    const [channels = 0, height = 0, width = 0] = inputShape;
    if (inputShape.length !== 3 || Math.min(height, width) < kernel) {
      throw new GraphError(`expected an image [C, H, W] of at least ${kernel} pixels, got ${formatShape(inputShape)}`);
    }
    const slide = (size: number) => Math.floor((size - kernel) / stride) + 1;
    return [channels, slide(height), slide(width)];
  },
  tensors: () => [],
  emit: ({ kernel, stride }, x, { g }) => {
    const [y] = g.MaxPool(x, { kernel_shape: [kernel, kernel], strides: [stride, stride], pads: [0, 0, 0, 0] });
    return y;
  },
};

export const flatten: LayerRule<'flatten'> = {
  outputShape: (_layer, inputShape) => [inputShape.reduce((product, dim) => product * dim, 1)],
  tensors: () => [],
  emit: (_layer, x, { g }) => g.Flatten(x, { axis: 1 }),
};
