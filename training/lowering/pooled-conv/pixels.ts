/** Where the pixels of a convolution's output and input lie, as lists of indices for Gather. Images are in row-major order. */
import type { GraphBuilder, OpNode, Value } from '../../graph/index.ts';
import { sizes } from '../match.ts';

export interface Geometry {
  readonly N: number;
  readonly I: number;
  readonly O: number;
  /** Rows and columns of the input and of the output. */
  readonly input: readonly [rows: number, columns: number];
  readonly output: readonly [rows: number, columns: number];
  readonly kernel: readonly [rows: number, columns: number];
  readonly attributes: OpNode<'Conv'>['attributes'];
}

export function geometryOf({ inputs: [X, W], outputs: [Y], attributes }: OpNode<'Conv'>): Geometry {
  const [N = 0, I = 0, H = 0, columns = 0] = sizes(X);
  const [O = 0, , kH = 0, kW = 0] = sizes(W);
  const [, , rows = 0, width = 0] = sizes(Y);
  return { N, I, O, input: [H, columns], output: [rows, width], kernel: [kH, kW], attributes };
}

/** The output's pixels that are at the same corner of their 2 × 2 windows; the corners are counted in row-major order. */
export const cornerPixels = ({ output: [rows, columns] }: Geometry, corner: number): number[] =>
  Array.from({ length: (rows * columns) / 4 }, (_, window) => {
    const [row, column] = [Math.floor(window / (columns / 2)), window % (columns / 2)];
    return (2 * row + (corner >> 1)) * columns + 2 * column + (corner & 1);
  });

/** All pixels of the output, as they lie. */
export const allPixels = ({ output: [rows, columns] }: Geometry): number[] =>
  Array.from({ length: rows * columns }, (_, pixel) => pixel);

/** Puts four corners, one behind the other, back in place. */
export function interleaving(geometry: Geometry): number[] {
  const order = corners.flatMap((corner) => cornerPixels(geometry, corner));
  const places: number[] = [];
  order.forEach((pixel, place) => (places[pixel] = place));
  return places;
}

export const corners = [0, 1, 2, 3] as const;

/** For each tap what it multiplies at each of the given pixels: a pixel of the input, or behind the last the padding. */
export function tapPixels(
  { input: [H, W], output, kernel: [kH, kW], attributes }: Geometry,
  pixels: readonly number[],
) {
  const [top = 0, left = 0] = attributes.pads;
  const [down = 1, across = 1] = attributes.dilations;
  const inside = (row: number, column: number) => row >= 0 && row < H && column >= 0 && column < W;
  return Array.from({ length: kH * kW }, (_, tap) =>
    pixels.map((pixel) => {
      const row = Math.floor(pixel / output[1]) - top + Math.floor(tap / kW) * down;
      const column = (pixel % output[1]) - left + (tap % kW) * across;
      return inside(row, column) ? row * W + column : H * W;
    }),
  ).flat();
}

/** The given pixels of `image [C, pixels, N]`. */
export function gatherPixels(g: GraphBuilder, image: Value, pixels: readonly number[]): Value {
  const data = Int32Array.from(pixels);
  return g.Gather(image, g.initializer('pixels', { dtype: 'int32', shape: [data.length], data }), { axis: 1 });
}

/** The input as one image, `[I, pixels, N]`, with a pixel of zeros behind the last: the padding. From `[I · H · W, N]`. */
export function paddedImage(g: GraphBuilder, { I, N }: Geometry, x: Value): Value {
  const zeros = g.initializer('padding', { dtype: 'float32', shape: [I, 1, N], data: new Float32Array(I * N) });
  return g.Concat(g.Reshape(x, g.ints([I, -1, N])), zeros, { axis: 1 });
}

/** What each tap multiplies, `[I · taps, pixels · N]`: W `[O, I · taps]` times these columns is the convolution. */
export function columnsOf(g: GraphBuilder, geometry: Geometry, padded: Value, pixels: readonly number[]): Value {
  const { I, N, kernel } = geometry;
  const gathered = gatherPixels(g, padded, tapPixels(geometry, pixels));
  return g.Reshape(gathered, g.ints([I * kernel[0] * kernel[1], pixels.length * N]));
}
