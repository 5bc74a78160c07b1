/**
 * A sum of large tensors, together with the elementwise ops before and after it, as a convolution:
 *
 *     y = activation(s · x + t + w)
 *
 * where s and t are single numbers, or one for each row. The convolution has one tap for each channel. Its kernel for
 * blocks of channels adds a bias and a tensor, applies an activation, and uses the processor's widest vectors, all in
 * one pass over memory. The runtime's elementwise ops take a pass each, with narrow vectors. Where nothing else reads w
 * any more, y takes its memory.
 */
import {
  type Attributes,
  type GraphBuilder,
  knownSizes,
  sameShape,
  sizeIfKnown,
  sizeOf,
  type Value,
} from '../../graph/index.ts';
import { patterns } from '../pattern.ts';
import type { Rewriter } from '../rewrite.ts';

/** The number of elements below which another node costs more than a pass. */
const large = 2 ** 14;

/**
 * The maximum number of pixels in a row of the image that a tensor is seen as. It leaves many vectors for each call of
 * the kernel, and a few calls for each thread.
 */
const maxPixels = 1024;

/** The terms of a sum. Without s the factor is 1, without t or w the term is 0. */
export interface Sum {
  readonly x: Value;
  readonly s?: Value | undefined;
  readonly t?: Value | undefined;
  readonly w?: Value | undefined;
  readonly activation?: Pick<Attributes<'com.microsoft.nchwc.Conv'>, 'activation' | 'activation_params'> | undefined;
}

/** Is true for a large tensor whose rows are whole blocks. */
export function fillsBlocks(sum: Sum, b: number): boolean {
  const { dtype, shape } = sum.x;
  const size = sizeIfKnown(shape);
  return dtype === 'float32' && size !== undefined && size >= large && size % (rowsOf(sum) * b) === 0;
}

/** Returns the number of rows that have coefficients of their own; 1 where all have the same. */
const rowsOf = ({ s, t }: Sum): number => Math.max(...[s, t].map((value) => (value ? sizeOf(value.shape) : 1)));

export function emitSum(g: Rewriter, sum: Sum, b: number): Value {
  const { x, s, t, w, activation } = sum;
  const channels = rowsOf(sum) * b;
  const image = imageOf(sizeOf(x.shape), channels);
  const Y = g['com.microsoft.nchwc.Conv'](
    seenAs(g, x, image),
    repeated(g, s ?? g.scalar(1), [channels, 1, 1, 1]),
    t && repeated(g, t, [channels]),
    w && seenAs(g, w, image),
    { kernel_shape: [1, 1], strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1], group: channels, ...activation },
  );
  return g.Reshape(Y, g.ints(knownSizes(x.shape)));
}

/**
 * Returns the shape `[1, channels, H, W]` that the elements are seen as, with W as large as `maxPixels` allows. In
 * memory each block of channels is one run of elements (`[channels / b, H, W, b]`), so each row of a matrix is a block.
 */
function imageOf(size: number, channels: number): readonly number[] {
  const pixels = size / channels;
  const counts = Array.from({ length: pixels }, (_, i) => i + 1);
  const height = counts.find((count) => pixels % count === 0 && pixels / count <= maxPixels) ?? pixels;
  return [1, channels, height, pixels / height];
}

/** Repeats a number for each row, or for all, as one for each channel: `[channels, ..]`. */
function repeated(g: GraphBuilder, value: Value, shape: readonly [channels: number, ...ones: number[]]): Value {
  const [channels] = shape;
  const rows = sizeOf(value.shape);
  if (value.constant && rows === 1) {
    const number = Number(value.constant.data[0]);
    const data = new Float32Array(channels).fill(number);
    return g.constant(`float32(${number})[${shape.join(',')}]`, { dtype: 'float32', shape, data });
  }
  if (rows === 1) return g.Expand(g.Reshape(value, g.ints([1])), g.ints(shape));
  const wide = g.Expand(g.Reshape(value, g.ints([rows, 1])), g.ints([rows, channels / rows]));
  return g.Reshape(wide, g.ints(shape));
}

/** Views the elements in another shape; they stay where they are in memory. */
function seenAs(g: Rewriter, x: Value, shape: readonly number[]): Value {
  if (sameShape(x.shape, shape)) return x;
  const reshaped = patterns.Reshape('data').match(g, x);
  return reshaped ? seenAs(g, reshaped.data, shape) : g.Reshape(x, g.ints(shape));
}
