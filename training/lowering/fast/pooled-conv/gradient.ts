/**
 * The gradient of a block, from d = dY · 1[y > 0], the cotangent of the windows in front of ReLU:
 *
 *     dβ = Σ d        dγ = Σ d · (p − μ)/s = S (Σ d · p' − μ' dβ)/s,   p' the windows' largest z'
 *
 * since elements that are not a window's largest receive nothing. d goes to one corner of each window, as in
 * `max-pool-gradient.ts`.
 */
import { knownSizes, type Value } from '../../../graph/index.ts';
import type { Rewriter } from '../../rewrite.ts';
import { batchLast } from '../batch-last.ts';
import { geometryOf } from '../columns.ts';
import { isPositive } from '../indicator.ts';
import { route } from '../max-pool-gradient.ts';
import type { ConvolutionGradients } from './convolution.ts';
import type { Forward } from './forward.ts';
import { rowSums } from './pixels.ts';

export interface Backward extends ConvolutionGradients {
  readonly forward: Forward;
  /** `[O]` each. */
  readonly dScale: Value;
  readonly dShift: Value;
}

/** @param dY `[N, O, H / 2, W / 2]` */
export function emitBackward(g: Rewriter, forward: Forward, dY: Value): Backward {
  const { block, convolution, scale, sign, deviation, rows, pooled, activation } = forward;
  const sum = (matrix: Value) => rowSums(g, geometryOf(block.conv).N, matrix);
  const flat = (column: Value) => g.Reshape(column, g.ints([-1]));

  const d = g.Mul(g.Reshape(batchLast(g, dY), g.ints(knownSizes(activation.shape))), isPositive(g, activation));
  const dShift = sum(d);
  const correlation = g.Sub(sum(g.Mul(d, pooled)), g.Mul(convolution.mean, dShift));
  const dScale = g.Div(g.Mul(sign, correlation), deviation);
  const gradients = convolution.gradients({
    corners: route(g, d, convolution.corners, rows),
    dScaleOverDeviation: g.Div(dScale, deviation),
    dShift,
    gain: g.Div(scale, deviation),
  });
  return { forward, dScale: flat(dScale), dShift: flat(dShift), ...gradients };
}
