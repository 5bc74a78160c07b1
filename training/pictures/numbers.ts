/** Converts a prepared picture's bytes to the numbers that a model takes, and numbers back to bytes for display. */
import { at, present } from '../arrays/index.ts';
import type { PicturePreparation } from './preparation.ts';

/** Returns the shape of one picture as the model takes it, with its channels first or last. */
export const pictureShape = ({ size, channels, layout }: PicturePreparation): readonly number[] =>
  layout === 'NHWC' ? [size.rows, size.columns, channels] : [channels, size.rows, size.columns];

/**
 * Converts bytes to the model's numbers.
 *
 * @param bytes of any number of pictures, each of `pictureShape`
 * @returns the bytes themselves for a model that takes bytes, and for one whose numbers are not known
 */
export function numbersOf(bytes: Uint8Array, preparation: PicturePreparation): Uint8Array | Float32Array {
  const tables = tablesOf(preparation);
  if (!tables) return bytes;
  const { channels, layout, size } = preparation;
  const [run, step] =
    layout === 'NHWC' ? [1, channels] : [size.rows * size.columns, channels * size.rows * size.columns];
  const numbers = new Float32Array(bytes.length);
  tables.forEach((table, channel) => {
    for (let start = channel * run; start < bytes.length; start += step) {
      const end = Math.min(start + run, bytes.length);
      for (let i = start; i < end; i++) numbers[i] = present(table[present(bytes[i])]);
    }
  });
  return numbers;
}

/** Returns the bytes that are nearest to the numbers. */
export function bytesOf(numbers: ArrayLike<number>, preparation: PicturePreparation): Uint8Array {
  const ends = tablesOf(preparation)?.map((table) => [at(table, 0), at(table, 255)] as const);
  const channelAt = channelOf(preparation);
  return Uint8Array.from({ length: numbers.length }, (_, i) => {
    const [black, white] = ends ? present(ends[channelAt(i)]) : [0, 255];
    return Math.min(Math.max(Math.round(((present(numbers[i]) - black) * 255) / (white - black)), 0), 255);
  });
}

/** Returns a function that maps an index among the numbers of pictures to its channel. */
function channelOf({ channels, layout, size }: PicturePreparation): (place: number) => number {
  if (channels === 1) return () => 0;
  const area = size.rows * size.columns;
  return layout === 'NHWC' ? (place) => place % channels : (place) => Math.floor(place / area) % channels;
}

/**
 * Returns, for each channel of the input, the number that the model takes for each byte; undefined where that is the
 * byte itself.
 */
export function tablesOf({
  channels,
  values,
  numbers,
}: Pick<PicturePreparation, 'channels' | 'values' | 'numbers'>): readonly Float32Array[] | undefined {
  if (numbers) {
    const { scale, mean, std } = numbers;
    return mean.map((offset, channel) => tableOf((byte) => (byte * scale - offset) / at(std, channel)));
  }
  const [black, white] = values ?? [0, 255];
  if (black === 0 && white === 255) return undefined;
  const table = tableOf((byte) => black + (byte * (white - black)) / 255);
  return Array.from({ length: channels }, () => table);
}

const tableOf = (numberOf: (byte: number) => number): Float32Array =>
  Float32Array.from({ length: 256 }, (_, byte) => numberOf(byte));
