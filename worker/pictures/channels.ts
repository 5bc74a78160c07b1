/** From red, green, blue and alpha to the channels of a model's input. */
import type { Picture } from './picture.ts';
import { prepareDigit, type Size } from './prepare.ts';
import { resample, type Plane } from './resample.ts';

/**
 * @returns `[C, H, W]` bytes: with one channel a drawing as MNIST has them, with three the whole picture resized
 */
export function channelsOf(picture: Picture, channels: 1 | 3, size: Size): Uint8Array {
  if (channels === 1) return prepareDigit(greyOf(picture), size);
  const planes = [0, 1, 2].map((channel) => {
    const plane = onPaper(picture, 255, ({ data }, pixel) => data[pixel + channel] ?? 0);
    return Uint8Array.from(resample(plane, size.width, size.height).data, Math.round);
  });
  return Uint8Array.from(planes.flatMap((plane) => [...plane]));
}

/** Transparent pixels show black paper under light ink and white paper under dark ink. */
function greyOf(picture: Picture): Plane {
  const { data } = picture;
  let [light, opaque] = [0, 0];
  for (let pixel = 0; pixel < data.length; pixel += 4) {
    const alpha = data[pixel + 3] ?? 0;
    opaque += alpha;
    light += alpha * luma(picture, pixel);
  }
  return onPaper(picture, light > 127.5 * opaque ? 0 : 255, luma);
}

/** ITU-R BT.601, as in every JPEG and in Pillow's `L`. */
function luma({ data }: Picture, pixel: number): number {
  return 0.299 * (data[pixel] ?? 0) + 0.587 * (data[pixel + 1] ?? 0) + 0.114 * (data[pixel + 2] ?? 0);
}

/**
 * out = paper + (value − paper) · alpha / 255
 * @param value of the pixel whose bytes start at an index
 */
function onPaper(picture: Picture, paper: number, value: (picture: Picture, pixel: number) => number): Plane {
  const { width, height, data } = picture;
  const plane = new Float32Array(width * height);
  for (let i = 0; i < plane.length; i++) {
    plane[i] = paper + ((value(picture, i * 4) - paper) * (data[i * 4 + 3] ?? 0)) / 255;
  }
  return { width, height, data: plane };
}
