/** The interface of a block's convolution. There are two ways to compute it: `columnwise.ts` and `imagewise.ts`. */
import type { GraphBuilder, Value } from '../../../graph/index.ts';
import type { Geometry } from '../columns.ts';
import type { Corners } from '../max-pool-gradient.ts';

/** The terms of the cotangent of the convolution z. All but the corners are columns `[O, 1]`. */
export interface Cotangent {
  /** The cotangent of Batch Norm's output z̃, at the corners of the windows: `[O, windows · N]` each. */
  readonly corners: Corners<Value>;
  /** dγ/s and dβ, from which the part that passes through z's statistics is computed, see the rule of Batch Norm. */
  readonly dScaleOverDeviation: Value;
  readonly dShift: Value;
  /** γ/s, the factor of all terms. */
  readonly gain: Value;
}

export interface Convolution {
  /** z' = (S W) * x, at the corners of the windows: `[O, windows · N]` each. */
  readonly corners: Corners<Value>;
  /** The mean and the variance of z' over all pixels and samples: `[O, 1]` each. */
  readonly mean: Value;
  readonly variance: Value;
  readonly gradients: (cotangent: Cotangent) => ConvolutionGradients;
}

export interface ConvolutionGradients {
  /** Emits dW, `[O, I · taps]`. */
  readonly weight: () => Value;
  /** Emits dX, `[I · H · W, N]`, from W `[O, I, kH, kW]`. Absent for layers whose input's gradient is not needed. */
  readonly input?: (W: Value) => Value;
}

/**
 * @param x `[I · H · W, N]`
 * @param W `[O, I · taps]`
 * @param sign S, `[O, 1]`
 */
export type EmitConvolution = (g: GraphBuilder, geometry: Geometry, x: Value, W: Value, sign: Value) => Convolution;
