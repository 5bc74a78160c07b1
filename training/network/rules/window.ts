/** Computes how a square window slides over an image. */
import { formatShape, GraphError } from '../../graph/index.ts';

export interface SquareWindow {
  readonly kernel: number;
  readonly stride: number;
  readonly padding?: number;
  readonly dilation?: number;
}

/**
 * Returns the shape of one sample: `[C, H, W] -> [C, H', W']`, H' = ⌊(H + 2 padding − span) / stride⌋ + 1, with the
 * window's span = dilation (kernel − 1) + 1.
 *
 * @throws GraphError for a shape that is not an image, or one smaller than the window
 */
export function slideWindow(
  { kernel, stride, padding = 0, dilation = 1 }: SquareWindow,
  inputShape: readonly number[],
): readonly [number, number, number] {
  if (inputShape.length !== 3) throw new GraphError(`expected an image [C, H, W], got ${formatShape(inputShape)}`);
  const [channels, height, width] = inputShape as readonly [number, number, number];
  const min = dilation * (kernel - 1) + 1 - 2 * padding;
  if (Math.min(height, width) < min) {
    throw new GraphError(`expected an image of at least ${min} pixels, got ${formatShape(inputShape)}`);
  }
  const slide = (size: number) => Math.floor((size - min) / stride) + 1;
  return [channels, slide(height), slide(width)];
}
