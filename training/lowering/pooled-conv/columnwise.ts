/**
 * A convolution as products with matrices of columns, for few taps and an input whose gradient nobody asks for.
 *
 * With c [I · taps, windows · N] the columns of each corner, and M = N · pixels columns in all, z = W c is linear, so its
 * statistics follow from those of the columns, which are far fewer:
 *
 *     c̄ = 1/M Σ c         Cov = 1/M Σ c cᵀ − c̄ c̄ᵀ
 *     μ = W c̄             σ² = diag(W Cov Wᵀ)
 *
 * and so does the part of dW that Batch Norm's own statistics add. With dz = γ/s (dz̃ − dβ/M − (z − μ)/s · dγ/M),
 *
 *     dW = Σ dz cᵀ = γ/s (Σ dz̃ cᵀ − dβ c̄ᵀ − dγ/s · W Cov)
 *
 * where only the first sum reads what is as large as z.
 */
import type { GraphBuilder, Value } from '../../graph/index.ts';
import { columnsOf, paddedImage } from '../columns.ts';
import { sizes } from '../match.ts';
import type { Corners, Cotangent, EmitConvolution } from './convolution.ts';
import { cornerPixels, corners } from './pixels.ts';
import { rowSums } from './row-sums.ts';

export const columnwise: EmitConvolution = (g, geometry, x, W, sign) => {
  const padded = paddedImage(g, geometry, x);
  const columns = corners.map((corner) => columnsOf(g, geometry, padded, cornerPixels(geometry, corner)));
  const [center, covariance] = moments(g, columns, geometry.N);
  const spread = g.MatMul(W, covariance);
  const signed = g.Mul(W, sign);
  return {
    corners: columns.map((each) => g.MatMul(signed, each)) as unknown as Corners,
    mean: g.MatMul(signed, center),
    variance: g.Max(g.ReduceSum(g.Mul(spread, W), g.ints([1]), { keepdims: 1 }), g.scalar(0)),
    gradients: (cotangent) => ({ weight: () => weightGradient(g, cotangent, columns, center, spread) }),
  };
};

/** c̄ `[K, 1]` and Cov `[K, K]` */
function moments(g: GraphBuilder, columns: readonly Value[], N: number): readonly [Value, Value] {
  const count = g.scalar(columns.reduce((sum, each) => sum + (sizes(each)[1] ?? 0), 0));
  const sums = columns.map((each) => rowSums(g, N, each));
  const total = sums.reduce((sum, each) => g.Add(sum, each));
  const center = g.Div(total, count);
  const products = sumOfProducts(g, columns, columns);
  return [center, g.Sub(g.Div(products, count), g.Mul(center, g.Reshape(center, g.ints([1, -1]))))];
}

function weightGradient(
  g: GraphBuilder,
  cotangent: Cotangent,
  columns: readonly Value[],
  center: Value,
  spread: Value,
) {
  const { corners: dCorners, dShift, dScaleOverDeviation, gain } = cotangent;
  const routed = sumOfProducts(g, dCorners, columns);
  const shifted = g.Sub(routed, g.Mul(dShift, g.Reshape(center, g.ints([1, -1]))));
  return g.Mul(gain, g.Sub(shifted, g.Mul(dScaleOverDeviation, spread)));
}

/** Σᵢ Aᵢ Bᵢᵀ, each product added to the ones before. */
function sumOfProducts(g: GraphBuilder, As: readonly Value[], Bs: readonly Value[]): Value {
  const sum = As.reduce<Value | undefined>((before, A, i) => {
    const B = Bs[i];
    return B ? g.Gemm(A, B, before, { transB: 1 }) : before;
  }, undefined);
  if (!sum) throw new Error('internal: expected at least one product');
  return sum;
}
