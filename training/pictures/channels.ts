/** From a decoder's pixels to the channels that a model takes: opaque, and grey or in colour. */
import type { Picture, Plane } from './picture.ts';

/** Red, green and blue. */
export type Colour = readonly [red: number, green: number, blue: number];

/** @param background what shows where the picture is transparent */
export function planesOf(picture: Picture, channels: 1 | 3, background: Colour): readonly Plane[] {
  if (channels === 1) return [greyOf(picture, background)];
  return background.map((paper, channel) => channelOf(picture, channel, paper));
}

/**
 * ITU-R BT.601's luma in 1/2¹⁶, as Pillow's `L` has it: 0.299 R + 0.587 G + 0.114 B, rounded. The weights add up to 1, so that
 * grey stays as it is.
 */
export const luma = (red: number, green: number, blue: number): number =>
  (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;

/** The opaque picture in grey. */
export function greyOf(picture: Picture, background: Colour): Plane {
  const [paper] = background;
  if (picture.channels <= 2 && isGrey(background)) return channelOf(picture, 0, paper);
  const [red, green, blue] = background.map((shade, channel) => channelOf(picture, channel, shade).data);
  const data = new Uint8Array(picture.width * picture.height);
  for (let i = 0; i < data.length; i++) data[i] = luma(red?.[i] ?? 0, green?.[i] ?? 0, blue?.[i] ?? 0);
  return { width: picture.width, height: picture.height, data };
}

const isGrey = ([red, green, blue]: Colour): boolean => red === green && green === blue;

/** out = (value · alpha + paper · (255 − alpha)) / 255, rounded */
function channelOf({ width, height, channels, data }: Picture, channel: number, paper: number): Plane {
  const plane = new Uint8Array(width * height);
  const [offset, alpha] = [channels < 3 ? 0 : channel, channels % 2 === 0 ? channels - 1 : undefined];
  if (alpha === undefined) {
    for (let i = 0, at = offset; i < plane.length; i++, at += channels) plane[i] = data[at] ?? 0;
    return { width, height, data: plane };
  }
  for (let i = 0, at = 0; i < plane.length; i++, at += channels) {
    const opacity = data[at + alpha] ?? 0;
    plane[i] = Math.floor(((data[at + offset] ?? 0) * opacity + paper * (255 - opacity) + 127) / 255);
  }
  return { width, height, data: plane };
}

/** `#ff8000` to `[255, 128, 0]` */
export function colourOf(text: string): Colour {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => Number.parseInt(text.slice(at, at + 2), 16));
  return [red, green, blue];
}
