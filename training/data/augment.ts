/**
 * Augmentation: in each epoch every training picture is changed a little by a random draw of its own. It changes the
 * data that the network is trained on, never the data that it is evaluated or served with.
 */
import * as z from 'zod';
import { present } from '../arrays/index.ts';
import type { Samples } from './dataset.ts';
import type { Random } from './random.ts';

/** The random changes of a picture, each up to a bound. A change that is omitted does not happen. */
export const augmentationSchema = z.strictObject({
  /** Mirrors every other picture, on average, left to right. */
  flip: z.literal(true).exactOptional(),
  /** Shifts the picture by whole pixels, in each direction by up to this share of its side. */
  shift: z.number().positive().max(0.5).exactOptional(),
  /** Enlarges a random part of the picture to the whole. The part's sides are at least this share of the picture's. */
  crop: z.number().positive().lt(1).exactOptional(),
  /** Rotates the picture about its centre, either way by up to this many degrees. */
  rotate: z.number().positive().max(45).exactOptional(),
});

export type Augmentation = Readonly<z.output<typeof augmentationSchema>>;
export type AugmentationKind = keyof Augmentation;

/** Strengths that do not change what most pictures show. */
export const defaultAugmentation = { flip: true, shift: 0.125, crop: 0.8, rotate: 10 } as const satisfies Augmentation;

/**
 * Returns the inputs of an epoch, `[count, channels, rows, columns]`. Pixels from outside a picture repeat its edge.
 *
 * @param random the epoch's generator. Every sample takes the same number of draws, so they depend on the sample's
 * index alone
 */
export function augmented(
  { inputs, inputShape, count }: Samples,
  how: Augmentation,
  random: Random,
): Samples['inputs'] {
  const [channels = 1, rows = 1, columns = 1] = inputShape;
  const result = inputs.slice();
  const size = channels * rows * columns;
  for (let sample = 0; sample < count; sample++) {
    const from = inputs.subarray(sample * size, (sample + 1) * size);
    transform(
      from,
      result.subarray(sample * size, (sample + 1) * size),
      { rows, columns },
      draw(how, { rows, columns }, random),
    );
  }
  return result;
}

interface Size {
  readonly rows: number;
  readonly columns: number;
}

/**
 * Maps a pixel of the result to its source, with the origin at the picture's centre: x' = mirror·scale·x, y' = scale·y,
 * then (x', y') ↦ (cos·x' − sin·y' + dx, sin·x' + cos·y' + dy).
 */
interface Placement {
  readonly cos: number;
  readonly sin: number;
  readonly scale: number;
  readonly mirror: 1 | -1;
  readonly dx: number;
  readonly dy: number;
}

const RADIANS = 3.141592653589793 / 180;

function draw(
  { flip, shift = 0, crop = 1, rotate = 0 }: Augmentation,
  { rows, columns }: Size,
  random: Random,
): Placement {
  // Each draw is taken in this order, whether it is used or not.
  const mirrored = random.uniform();
  const turned = signed(random.uniform());
  const cropped = random.uniform();
  const [across, down] = [signed(random.uniform()), signed(random.uniform())];
  const [left, top] = [signed(random.uniform()), signed(random.uniform())];
  // Platforms may round sines, cosines and tangents differently, so none is called: t = tan(angle / 2) gives the other
  // two, and half the angle stands for t, which turns by 0.03° less than 10°, and by 2.1° less than 45°.
  const t = (turned * rotate * RADIANS) / 2;
  const scale = crop + (1 - crop) * cropped;
  const room = (1 - scale) / 2;
  return {
    cos: (1 - t * t) / (1 + t * t),
    sin: (2 * t) / (1 + t * t),
    scale,
    mirror: flip && mirrored < 0.5 ? -1 : 1,
    dx: Math.round(across * shift * columns) + left * room * columns,
    dy: Math.round(down * shift * rows) + top * room * rows,
  };
}

/** Stretches a uniform draw from [0, 1) to [−1, 1). */
const signed = (draw: number): number => 2 * draw - 1;

/**
 * Applies a placement to each plane, with linear interpolation between pixels. It is one loop without objects, since it
 * runs for each pixel of each epoch.
 */
function transform<T extends Samples['inputs']>(from: T, to: T, { rows, columns }: Size, place: Placement): void {
  const { cos, sin, scale, mirror, dx, dy } = place;
  const area = rows * columns;
  const rounding = from instanceof Uint8Array ? 0.5 : 0;
  const middleX = (columns - 1) / 2;
  const middleY = (rows - 1) / 2;
  for (let row = 0, i = 0; row < rows; row++) {
    const y = (row - middleY) * scale;
    for (let column = 0; column < columns; column++, i++) {
      const x = (column - middleX) * mirror * scale;
      const u = Math.min(Math.max(cos * x - sin * y + dx + middleX, 0), columns - 1);
      const v = Math.min(Math.max(sin * x + cos * y + dy + middleY, 0), rows - 1);
      const left = Math.floor(u);
      const top = Math.floor(v);
      const across = left + 1 < columns ? 1 : 0;
      const down = top + 1 < rows ? columns : 0;
      for (let plane = 0, at = top * columns + left; plane < from.length; plane += area, at += area) {
        const a = present(from[at]);
        const b = present(from[at + across]);
        const c = present(from[at + down]);
        const d = present(from[at + down + across]);
        const above = a + (u - left) * (b - a);
        const below = c + (u - left) * (d - c);
        to[plane + i] = above + (v - top) * (below - above) + rounding;
      }
    }
  }
}
