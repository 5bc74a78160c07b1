/**
 * Reduces digits to 10 × 10 pixels: the 20 × 20 pixels in the middle, where MNIST's digits are, averaged two by two.
 * All of them vary.
 */
import type { ClassificationDataset } from '../../../training/data/index.ts';
import { elementCount } from '../../../training/arrays/index.ts';
import { range } from './range.ts';

const border = 4;
const side = 10;
export const reducedShape = [1, side, side] as const;

/** @param dataset images of 28 × 28 pixels */
export function reduced(dataset: ClassificationDataset): ClassificationDataset {
  const { inputs, inputShape, count } = dataset;
  const size = elementCount(inputShape);
  const columns = inputShape.at(-1) ?? 1;
  const corners = range(side * side).map(
    (i) => (border + 2 * Math.floor(i / side)) * columns + border + 2 * (i % side),
  );
  const cells = Uint8Array.from({ length: count * corners.length }, (_, i) => {
    const at = Math.floor(i / corners.length) * size + (corners[i % corners.length] ?? NaN);
    const four = [at, at + 1, at + columns, at + columns + 1].map((pixel) => inputs[pixel] ?? NaN);
    return Math.round(four.reduce((a, b) => a + b) / 4);
  });
  return { ...dataset, inputs: cells, inputShape: reducedShape };
}
