/** Converts a decoder's pixels to the channels that a model takes: opaque, and grey or in colour. */
import { present } from '../arrays/index.ts';
import type { Picture } from './picture.ts';

export type Colour = readonly [red: number, green: number, blue: number];

/** Splits a row of pixels into opaque channels. The returned arrays are reused by the next call. */
export type RowSplitter = (row: Uint8Array) => readonly Uint8Array[];

/**
 * Returns a function that splits rows into the channels that a model takes.
 *
 * @param background shows through transparent pixels; a model that takes alpha does not need it
 */
export function rowSplitter(
  picture: Omit<Picture, 'data' | 'height'>,
  channels: 1 | 3 | 4,
  background: Colour,
): RowSplitter {
  if (channels === 1) return greySplitter(picture, background);
  if (channels === 4) return alphaSplitter(picture);
  const lines = background.map(() => new Uint8Array(picture.width));
  return (row) => {
    lines.forEach((line, channel) => {
      splitChannel(row, picture.channels, channel, present(background[channel]), line);
    });
    return lines;
  };
}

/** Splits rows into the colours as they are stored and their alpha, which is 255 in a picture without alpha. */
function alphaSplitter({ width, channels }: Omit<Picture, 'data' | 'height'>): RowSplitter {
  const lines = Array.from({ length: 4 }, () => new Uint8Array(width).fill(255));
  const places = channels < 3 ? [0, 0, 0, 1] : [0, 1, 2, 3];
  const stored = lines.flatMap((line, i) => {
    const offset = present(places[i]);
    return offset < channels ? [{ line, offset }] : [];
  });
  return (row) => {
    for (const { line, offset } of stored) {
      for (let x = 0, at = offset; x < width; x++, at += channels) line[x] = present(row[at]);
    }
    return lines;
  };
}

/**
 * Multiplies colours by their alpha, so that transparent pixels do not count in the mean of neighbours. It gives the
 * bits of Pillow's `RGBa`.
 */
export function premultiply(lines: readonly Uint8Array[]): void {
  const alpha = present(lines[3]);
  for (const line of lines.slice(0, 3)) {
    line.forEach((value, x) => {
      const product = value * present(alpha[x]) + 128;
      line[x] = ((product >> 8) + product) >> 8;
    });
  }
}

/** Undoes `premultiply`, as far as bytes allow it. */
export function divideByAlpha(lines: readonly Uint8Array[]): void {
  const alpha = present(lines[3]);
  for (const line of lines.slice(0, 3)) {
    line.forEach((value, x) => {
      const opacity = present(alpha[x]);
      if (opacity > 0) line[x] = Math.min(Math.trunc((255 * value) / opacity), 255);
    });
  }
}

/**
 * Returns the luma of ITU-R BT.601 in units of 1/2¹⁶, like Pillow's `L`: 0.299 R + 0.587 G + 0.114 B, rounded. The
 * weights add up to 1, so that grey stays as it is.
 */
export const luma = (red: number, green: number, blue: number): number =>
  (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;

function greySplitter(picture: Omit<Picture, 'data' | 'height'>, background: Colour): RowSplitter {
  const { width } = picture;
  const [paper] = background;
  const grey = [new Uint8Array(width)] as const;
  if (picture.channels === 1) return (row) => [row];
  if (picture.channels === 2 && isGrey(background)) {
    return (row) => {
      splitChannel(row, 2, 0, paper, grey[0]);
      return grey;
    };
  }
  const [forRed, forGreen, forBlue] = background;
  const { channels } = picture;
  if (channels === 3) {
    return (row) => {
      for (let x = 0, at = 0; x < width; x++, at += 3)
        grey[0][x] = luma(present(row[at]), present(row[at + 1]), present(row[at + 2]));
      return grey;
    };
  }
  const [green, blue, alpha] = channels === 2 ? [0, 0, 1] : [1, 2, 3];
  return (row) => {
    for (let x = 0, at = 0; x < width; x++, at += channels) {
      const opacity = present(row[at + alpha]);
      const red = opaque(present(row[at]), opacity, forRed);
      grey[0][x] = luma(
        red,
        opaque(present(row[at + green]), opacity, forGreen),
        opaque(present(row[at + blue]), opacity, forBlue),
      );
    }
    return grey;
  };
}

const isGrey = ([red, green, blue]: Colour): boolean => red === green && green === blue;

/** Returns (value · opacity + paper · (255 − opacity)) / 255, rounded. The division by 255 is exact up to 2¹⁶ − 2. */
function opaque(value: number, opacity: number, paper: number): number {
  const sum = value * opacity + paper * (255 - opacity) + 127;
  return (sum + 1 + (sum >> 8)) >> 8;
}

/** Writes one channel of a row into `line`, over `paper` where the pixels have alpha: an even number of channels. */
function splitChannel(row: Uint8Array, channels: number, channel: number, paper: number, line: Uint8Array): void {
  const offset = channels < 3 ? 0 : channel;
  if (channels % 2 === 1) {
    for (let x = 0, at = offset; x < line.length; x++, at += channels) line[x] = present(row[at]);
    return;
  }
  for (let x = 0, at = 0; x < line.length; x++, at += channels) {
    line[x] = opaque(present(row[at + offset]), present(row[at + channels - 1]), paper);
  }
}

/** Parses a colour: `#ff8000` becomes `[255, 128, 0]`. */
export function colourOf(text: string): Colour {
  const byteAt = (at: number): number => Number.parseInt(text.slice(at, at + 2), 16);
  return [byteAt(1), byteAt(3), byteAt(5)];
}
