/**
 * Reduces digits to 10 × 10 pixels: the 20 × 20 pixels in the middle, where MNIST's digits are, averaged two by two.
 * All of them vary.
 */
import type { ClassificationDataset } from '../../../training/data/index.ts';
import { at, elementCount, present } from '../../../training/arrays/index.ts';
import { range } from './range.ts';

const border = 4;
const side = 10;
export const reducedShape = [1, side, side] as const;

/** @param dataset images of 28 × 28 pixels */
export function reduced(dataset: ClassificationDataset): ClassificationDataset {
  const { inputs, inputShape, count } = dataset;
  const size = elementCount(inputShape);
  const columns = at(inputShape, inputShape.length - 1);
  const corners = range(side * side).map(
    (i) => (border + 2 * Math.floor(i / side)) * columns + border + 2 * (i % side),
  );
  const cells = Uint8Array.from({ length: count * corners.length }, (_, i) => {
    const corner = Math.floor(i / corners.length) * size + present(corners[i % corners.length]);
    const four = [corner, corner + 1, corner + columns, corner + columns + 1].map((pixel) => present(inputs[pixel]));
    return Math.round(four.reduce((a, b) => a + b) / 4);
  });
  return { ...dataset, inputs: cells, inputShape: reducedShape };
}
