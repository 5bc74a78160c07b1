/**
 * Corrupts images as a worse camera would, in five strengths; MNIST-C (Mu and Gilmer 2019,
 * https://arxiv.org/abs/1906.02337) has such kinds.
 */
import { type ClassificationDataset, createRandom, type Random } from '../../../training/data/index.ts';
import { elementCount, present } from '../../../training/arrays/index.ts';
import { range } from './range.ts';

export const strengths = [1, 2, 3, 4, 5] as const;
export type Strength = (typeof strengths)[number];

/**
 * Turns one grey image of `[rows, columns]`, 0 to 255, into another; the result may have fractions and leave the range.
 */
type Corrupt = (image: Image, strength: Strength, random: Random) => Float64Array;

interface Image {
  readonly pixels: ArrayLike<number>;
  readonly rows: number;
  readonly columns: number;
}

const pixelAt = ({ pixels, rows, columns }: Image, row: number, column: number): number =>
  row < 0 || column < 0 || row >= rows || column >= columns ? 0 : present(pixels[row * columns + column]);

const eachPixel = ({ pixels }: Image, change: (pixel: number) => number): Float64Array =>
  Float64Array.from(pixels, change);

const eachPlace = ({ rows, columns }: Image, value: (row: number, column: number) => number): Float64Array =>
  Float64Array.from({ length: rows * columns }, (_, i) => value(Math.floor(i / columns), i % columns));

export const corruptions = {
  /** Adds Gaussian noise of 25 to 125 levels. */
  noise: (image, strength, random) => eachPixel(image, (pixel) => pixel + 25 * strength * random.normal()),
  /** Takes the mean of 3×3 pixels, one to five times over. */
  blur: (image, strength) => {
    let blurred = image;
    for (const _ of range(strength)) {
      const before = blurred;
      const mean = (row: number, column: number): number =>
        range(9).reduce((sum, k) => sum + pixelAt(before, row + Math.floor(k / 3) - 1, column + (k % 3) - 1), 0) / 9;
      blurred = { ...image, pixels: eachPlace(image, mean) };
    }
    return Float64Array.from(blurred.pixels);
  },
  /** Moves pixels towards a grey of 110, so that 80 to 20 % of the contrast are left. */
  contrast: (image, strength) => eachPixel(image, (pixel) => 110 + (0.95 - 0.15 * strength) * (pixel - 110)),
  /** Moves pixels towards the negative, which the strongest corruption reaches. */
  inversion: (image, strength) => eachPixel(image, (pixel) => pixel + (strength / 5) * (255 - 2 * pixel)),
  /** Shifts the image one to five pixels to the right and down. */
  shift: (image, strength) => eachPlace(image, (row, column) => pixelAt(image, row - strength, column - strength)),
} as const satisfies Readonly<Record<string, Corrupt>>;

export type CorruptionName = keyof typeof corruptions;
export const corruptionNames = Object.keys(corruptions) as readonly CorruptionName[];

/** Returns the images as a camera would give them: whole numbers from 0 to 255. */
export function corrupted(
  dataset: ClassificationDataset,
  name: CorruptionName,
  strength: Strength,
): ClassificationDataset {
  const { inputs, inputShape, count } = dataset;
  const [, rows = 0, columns = 0] = inputShape;
  const size = elementCount(inputShape);
  const random = createRandom(1).fork(`${name} ${strength}`);
  const changed = new Uint8ClampedArray(inputs.length);
  const corrupt: Corrupt = corruptions[name];
  for (const i of range(count)) {
    const pixels = inputs.subarray(i * size, (i + 1) * size);
    changed.set(corrupt({ pixels, rows, columns }, strength, random), i * size);
  }
  return { ...dataset, inputs: new Uint8Array(changed.buffer) };
}
