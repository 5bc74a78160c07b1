/** Makes test images look different from those of the training. */
import { type ClassificationDataset, createRandom } from '../../../training/data/index.ts';

/** Changes one pixel of 0–255; `normal` draws a fresh number with mean 0 and variance 1. */
type Shift = (pixel: number, normal: () => number) => number;

export const shifts = {
  none: (pixel) => pixel,
  brighter: (pixel) => pixel + 80,
  'low contrast': (pixel) => 0.35 * pixel,
  inverted: (pixel) => 255 - pixel,
  noise: (pixel, normal) => pixel + 80 * normal(),
} as const satisfies Readonly<Record<string, Shift>>;

export type ShiftName = keyof typeof shifts;

/** Returns the images as a camera would give them: whole numbers from 0 to 255. */
export function shifted(dataset: ClassificationDataset, name: ShiftName): ClassificationDataset {
  const shift: Shift = shifts[name];
  const { normal } = createRandom(1).fork(name);
  const inputs = Uint8ClampedArray.from(dataset.inputs, (pixel) => shift(pixel, normal));
  return { ...dataset, inputs: new Uint8Array(inputs.buffer) };
}
