/**
 * Makes neighbours for a picture that comes without any: the picture itself, darker and brighter, mirrored and shifted.
 */
import { present } from '../../../../training/arrays/index.ts';
import type { PictureInfo } from '../../api/model.ts';
import type { Pixels } from './pixels.ts';

export interface Variant {
  readonly pixels: Pixels;
  readonly kind: string;
}

const LEVELS = [0.15, 0.3, 0.45, 0.6, 0.75];
const SHIFTS = [-0.25, -0.15, 0, 0.15, 0.25];

/** Returns sixty variants, from the darkest to the brightest. */
export function variantsOf(pixels: Pixels, info: PictureInfo): readonly Variant[] {
  const shapes = [pixels, mirrored(pixels, info)];
  const shifted = SHIFTS.flatMap((share) =>
    shapes.map((shape) => moved(shape, info, Math.round(share * info.columns))),
  );
  const faded = (toward: number, kind: string) =>
    LEVELS.flatMap((level) =>
      shifted.filter((_, i) => i % 2 === 0).map((shape) => ({ pixels: mixed(shape, toward, level), kind })),
    );
  return [
    ...faded(0, 'darker pictures').toReversed(),
    ...shifted.map((shape) => ({ pixels: shape, kind: 'shifted pictures' })),
    ...faded(255, 'brighter pictures'),
  ];
}

const mixed = (pixels: Pixels, toward: number, share: number): Pixels =>
  pixels.map((value) => Math.round(value + share * (toward - value)));

const mirrored = (pixels: Pixels, { columns }: PictureInfo): Pixels =>
  pixels.map((_, i) => present(pixels[i - (i % columns) + (columns - 1 - (i % columns))]));

/** Shifts a picture; what moves out on one side comes in on the other. */
const moved = (pixels: Pixels, { columns }: PictureInfo, by: number): Pixels =>
  pixels.map((_, i) => present(pixels[i - (i % columns) + (((i % columns) - by + columns) % columns)]));
