/**
 * A convolution as products with matrices of columns, for few taps and an input whose gradient is not needed.
 *
 * With c [I · taps, windows · N] the columns of a corner, and M = N · pixels columns in all, z = W c is linear, so its
 * statistics follow from products with the columns, which have few rows:
 *
 *     c̄ = 1/M Σ c         C = 1/M Σ c zᵀ − c̄ μᵀ, the covariance of columns and z
 *     μ = W c̄             σ²[o] = Σₖ W[o, k] C[k, o]
 *
 * and so does the part of dW that Batch Norm's own statistics add. With dz = γ/s (dz̃ − dβ/M − (z − μ)/s · dγ/M),
 *
 *     dWᵀ = Σ c dzᵀ = (Σ c dz̃ᵀ − c̄ dβᵀ − C · dγ/s) γ/s
 *
 * where only the first sum reads tensors as large as z. The products have z and dz̃ as their right factors, which have
 * as many rows as the runtime's kernel takes at once.
 */
import { type GraphBuilder, sizesOf, type Value } from '../../../graph/index.ts';
import { columnsOf, paddedImage, sumOfProducts } from '../columns.ts';
import { type Corners, mapCorners } from '../max-pool-gradient.ts';
import type { Cotangent, EmitConvolution } from './convolution.ts';
import { cornerPixels, rowSums, zipCorners } from './pixels.ts';

const swap = { perm: [1, 0] } as const;

export const columnwise: EmitConvolution = (g, geometry, x, W, sign) => {
  const padded = paddedImage(g, geometry, x);
  const columns = mapCorners(cornerPixels(geometry), (pixels) => columnsOf(g, geometry, padded, pixels));
  const signed = g.Mul(W, sign);
  const z = mapCorners(columns, (c) => g.MatMul(signed, c));

  const count = g.scalar(columns.reduce((sum, c) => sum + sizesOf(c, 2)[1], 0));
  const sums = columns.map((c) => rowSums(g, geometry.N, c));
  const total = sums.reduce((sum, each) => g.Add(sum, each));
  const center = g.Div(total, count);
  const mean = g.MatMul(signed, center);
  const products = sumOfProducts(g, zipCorners(columns, z));
  const covariance = g.Sub(g.Div(products, count), g.Mul(center, asRow(g, mean)));
  const variance = g.ReduceSum(g.Mul(signed, g.Transpose(covariance, swap)), g.ints([1]), { keepdims: 1 });
  return {
    corners: z,
    mean,
    variance: g.Max(variance, g.scalar(0)),
    gradients: (cotangent) => ({
      weight: () => weightGradient(g, cotangent, columns, center, g.Mul(covariance, asRow(g, sign))),
    }),
  };
};

/** @param covariance of the columns and z, where z has its own sign */
function weightGradient(
  g: GraphBuilder,
  { corners, dShift, dScaleOverDeviation, gain }: Cotangent,
  columns: Corners<Value>,
  center: Value,
  covariance: Value,
): Value {
  const routed = sumOfProducts(g, zipCorners(columns, corners));
  const shifted = g.Sub(routed, g.Mul(center, asRow(g, dShift)));
  const centred = g.Sub(shifted, g.Mul(covariance, asRow(g, dScaleOverDeviation)));
  return g.Transpose(g.Mul(centred, asRow(g, gain)), swap);
}

const asRow = (g: GraphBuilder, column: Value): Value => g.Reshape(column, g.ints([1, -1]));
