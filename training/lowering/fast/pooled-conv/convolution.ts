/** What a block needs of its convolution. There are two ways to compute it: `columnwise.ts` and `imagewise.ts`. */
import type { GraphBuilder, Value } from '../../../graph/index.ts';
import type { Geometry } from '../columns.ts';
import type { Corners } from '../max-pool-gradient.ts';

/** What comes back to the convolution z through Batch Norm; columns `[O, 1]` but for the corners. */
export interface Cotangent {
  /** Of Batch Norm's output z̃, at the corners of the windows: `[O, windows · N]` each. */
  readonly corners: Corners<Value>;
  /** dγ/s and dβ: what z's place in the statistics adds, see the rule of Batch Norm. */
  readonly dScaleOverDeviation: Value;
  readonly dShift: Value;
  /** γ/s, by which all is multiplied. */
  readonly gain: Value;
}

export interface Convolution {
  /** z' = (S W) * x: `[O, windows · N]` each. */
  readonly corners: Corners<Value>;
  /** Of z', over all pixels and samples: `[O, 1]`. */
  readonly mean: Value;
  readonly variance: Value;
  readonly gradients: (cotangent: Cotangent) => ConvolutionGradients;
}

export interface ConvolutionGradients {
  /** `[O, I · taps]` */
  readonly weight: () => Value;
  /** From W `[O, I, kH, kW]`: `[I · H · W, N]`. None for layers whose input's gradient nobody asks for. */
  readonly input?: (W: Value) => Value;
}

/**
 * @param x `[I · H · W, N]`
 * @param W `[O, I · taps]`
 * @param sign S, `[O, 1]`
 */
export type EmitConvolution = (g: GraphBuilder, geometry: Geometry, x: Value, W: Value, sign: Value) => Convolution;
