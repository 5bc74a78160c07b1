/**
 * A convolution as one over a single wide image, for layers whose input takes a gradient.
 *
 * `[I, H, W · N]` is an image whose neighbours along a row are N apart, so a Conv with dilations of N gives what the
 * convolution gives for each of N samples. The runtime copies the columns of one wide image in long runs, and those of
 * many small images in short ones. Backward, with dz = γ/s e,
 *
 *     e = dz̃ + b z' + c       b = −S dγ/(m s)       c = −dβ/m − b μ'
 *     dW = γ/s Σ e · columnsᵀ                       dX = Conv(e, flip(γ/s W))
 */
import type { Attributes, GraphBuilder, Value } from '../../../graph/index.ts';
import { gatherPixels, type Geometry, transposedWeightGradient } from '../columns.ts';
import { emitInputGradient } from '../conv-input-gradient.ts';
import { type Corners, mapCorners } from '../max-pool-gradient.ts';
import type { Cotangent, EmitConvolution } from './convolution.ts';
import { cornerPixels, interleaving, rowMeans, zipCorners } from './pixels.ts';

export const imagewise: EmitConvolution = (g, geometry, x, W, sign) => {
  const { N, I, O, input, output, kernel } = geometry;
  const pixels = cornerPixels(geometry);
  const image = g.Reshape(x, g.ints([1, I, input[0], input[1] * N]));
  const filters = g.Reshape(g.Mul(W, sign), g.ints([O, I, ...kernel]));
  const z = g.Reshape(g.Conv(image, filters, undefined, wide(geometry)), g.ints([O, -1]));
  const zImage = g.Reshape(z, g.ints([O, output[0] * output[1], N]));
  const corners = mapCorners(pixels, (each) => g.Reshape(gatherPixels(g, zImage, each), g.ints([O, -1])));
  const mean = rowMeans(g, N, z);
  const centred = g.Sub(z, mean);
  return {
    corners,
    mean,
    variance: rowMeans(g, N, g.Mul(centred, centred)),
    gradients: (cotangent) => {
      const e = emitE(g, geometry, cotangent, { corners, mean, sign });
      return {
        weight: () => weightGradient(g, geometry, x, zipCorners(pixels, e), cotangent.gain),
        input: (filters) => {
          const dz = g.Reshape(sideBySide(g, geometry, e), g.ints([1, O, output[0], output[1] * N]));
          const scaled = g.Mul(filters, g.Reshape(cotangent.gain, g.ints([O, 1, 1, 1])));
          return g.Reshape(emitInputGradient(g, dz, scaled, wide(geometry)), g.ints([-1, N]));
        },
      };
    },
  };
};

/** Returns the attributes for the wide image: along rows all distances are N times as long. */
function wide({ N, attributes }: Geometry): Attributes<'Conv'> {
  const alongRows = (distance: number, i: number) => (i % 2 === 1 ? distance * N : distance);
  const { pads, dilations } = attributes;
  return { ...attributes, pads: pads.map(alongRows), dilations: dilations.map(alongRows) };
}

function emitE(
  g: GraphBuilder,
  { N, output }: Geometry,
  { corners: dCorners, dScaleOverDeviation, dShift }: Cotangent,
  { corners, mean, sign }: { corners: Corners<Value>; mean: Value; sign: Value },
): Corners<Value> {
  const minusM = g.scalar(-N * output[0] * output[1]);
  const b = g.Div(g.Mul(sign, dScaleOverDeviation), minusM);
  const c = g.Sub(g.Div(dShift, minusM), g.Mul(b, mean));
  return mapCorners(zipCorners(dCorners, corners), ([d, z]) => g.Add(d, g.Add(g.Mul(z, b), c)));
}

/** Puts the corners together to the image that they come from: `[O, pixels, N]`. */
function sideBySide(g: GraphBuilder, geometry: Geometry, corners: Corners<Value>): Value {
  const { N, O } = geometry;
  const images = corners.map((corner) => g.Reshape(corner, g.ints([O, -1, N])));
  return gatherPixels(g, g.Concat(...images, { axis: 1 }), interleaving(cornerPixels(geometry)));
}

/**
 * Emits dW, `[O, I · taps]`, from one corner after the other: the columns of a corner, which are several times as
 * large, are then in the cache when they are multiplied.
 */
function weightGradient(
  g: GraphBuilder,
  geometry: Geometry,
  x: Value,
  parts: readonly (readonly [pixels: readonly number[], e: Value])[],
  gain: Value,
): Value {
  const product = transposedWeightGradient(g, geometry, x, parts);
  return g.Transpose(g.Mul(product, g.Reshape(gain, g.ints([1, -1]))), { perm: [1, 0] });
}
