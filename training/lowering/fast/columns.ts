/**
 * Gathers the columns of a convolution ("im2col") from images whose samples lie along the last axis: for each tap of
 * the filters, the pixels that it multiplies.
 *
 * Source: Chellapilla et al., High Performance Convolutional Neural Networks for Document Processing, 2006
 */
import { type Attributes, type GraphBuilder, type OpNode, sizesOf, type Value } from '../../graph/index.ts';

export interface Geometry {
  readonly N: number;
  readonly I: number;
  readonly O: number;
  /** The rows and columns of the input, and of the output. */
  readonly input: readonly [rows: number, columns: number];
  readonly output: readonly [rows: number, columns: number];
  readonly kernel: readonly [rows: number, columns: number];
  readonly attributes: Attributes<'Conv'>;
}

export function geometryOf({ inputs: [X, W], outputs: [Y], attributes }: OpNode<'Conv'>): Geometry {
  const [N, I, ...input] = sizesOf(X, 4);
  const [O, , ...kernel] = sizesOf(W, 4);
  const [, , ...output] = sizesOf(Y, 4);
  return { N, I, O, input, output, kernel, attributes };
}

/** Returns all pixels of the output, in row-major order. */
export const allPixels = ({ output: [rows, columns] }: Geometry): number[] =>
  Array.from({ length: rows * columns }, (_, pixel) => pixel);

/**
 * Returns for each tap the pixel of the input that it multiplies at each given pixel of the output. The number after
 * the last pixel stands for padding.
 */
function tapPixels({ input: [H, W], output, kernel: [kH, kW], attributes }: Geometry, pixels: readonly number[]) {
  const [top = 0, left = 0] = attributes.pads;
  const [strideDown = 1, strideAcross = 1] = attributes.strides;
  const [down = 1, across = 1] = attributes.dilations;
  const inside = (row: number, column: number) => row >= 0 && row < H && column >= 0 && column < W;
  return Array.from({ length: kH * kW }, (_, tap) =>
    pixels.map((pixel) => {
      const row = Math.floor(pixel / output[1]) * strideDown - top + Math.floor(tap / kW) * down;
      const column = (pixel % output[1]) * strideAcross - left + (tap % kW) * across;
      return inside(row, column) ? row * W + column : H * W;
    }),
  ).flat();
}

/** Gathers the given pixels of `image [C, pixels, N]`. */
export function gatherPixels(g: GraphBuilder, image: Value, pixels: readonly number[]): Value {
  const data = Int32Array.from(pixels);
  return g.Gather(image, g.initializer('pixels', { dtype: 'int32', shape: [data.length], data }), { axis: 1 });
}

/**
 * Brings the input `[I · H · W, N]` to one image `[I, pixels, N]`, with a pixel of zeros after the last: the padding.
 */
export function paddedImage(g: GraphBuilder, { I, N }: Geometry, x: Value): Value {
  const zeros = g.initializer('padding', { dtype: 'float32', shape: [I, 1, N], data: new Float32Array(I * N) });
  return g.Concat(g.Reshape(x, g.ints([I, -1, N])), zeros, { axis: 1 });
}

/**
 * Emits what each tap multiplies, `[I · taps, pixels · N]`: W `[O, I · taps]` times these columns is the convolution.
 */
export function columnsOf(g: GraphBuilder, geometry: Geometry, padded: Value, pixels: readonly number[]): Value {
  const { I, N, kernel } = geometry;
  const gathered = gatherPixels(g, padded, tapPixels(geometry, pixels));
  return g.Reshape(gathered, g.ints([I * kernel[0] * kernel[1], pixels.length * N]));
}

/**
 * Emits the gradient of the filters, for the input x `[I · H · W, N]` and the gradient of the output in parts: some of
 * its pixels, and dY `[O, pixels · N]` there.
 *
 *     dWᵀ = Σ columns · dYᵀ
 *
 * It is left transposed, `[I · taps, O]`: with the many columns as its left factor the runtime is faster by half.
 */
export function transposedWeightGradient(
  g: GraphBuilder,
  geometry: Geometry,
  x: Value,
  parts: readonly (readonly [pixels: readonly number[], dY: Value])[],
): Value {
  const padded = paddedImage(g, geometry, x);
  return sumOfProducts(
    g,
    parts.map(([pixels, dY]) => [columnsOf(g, geometry, padded, pixels), dY]),
  );
}

/**
 * Emits Σ A Bᵀ over pairs of long matrices, `[m, K] · [n, K] -> [m, n]`.
 *
 * The runtime gives each thread some rows and columns of a product, of which there are few here, and never a part of
 * its sum. So the sum is cut into as many parts as there may be threads, a multiple of most numbers of threads. Several
 * products are cut into fewer parts each, since their results have to be added up.
 */
export function sumOfProducts(g: GraphBuilder, factors: readonly (readonly [A: Value, B: Value])[]): Value {
  const max = Math.max(minParts, Math.floor(maxParts / factors.length));
  const stacks = factors.map(([A, B]) => {
    const count = divisorUpTo(max, sizesOf(A, 2)[1]);
    const cut = (matrix: Value) => g.Reshape(matrix, g.ints([sizesOf(matrix, 2)[0], count, -1]));
    return g['com.microsoft.FusedMatMul'](cut(A), cut(B), { transBatchA: 1, transBatchB: 1, transB: 1 });
  });
  const [first, ...others] = stacks;
  if (!first) throw new Error('internal: expected at least one product');
  const all = others.length === 0 ? first : g.Concat(first, ...others, { axis: 0 });
  return g.ReduceSum(all, g.ints([0]), { keepdims: 0 });
}

const maxParts = 8;
const minParts = 2;

const divisorUpTo = (max: number, n: number): number =>
  Array.from({ length: max }, (_, i) => max - i).find((count) => n % count === 0) ?? 1;
