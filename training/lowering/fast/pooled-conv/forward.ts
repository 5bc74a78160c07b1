/**
 * Convolution, Batch Norm, ReLU and 2 × 2 max pooling, with everything after the convolution on a quarter of the
 * elements.
 *
 * Batch Norm is a linear function for each channel, which rises where γ ≥ 0. Pooling may therefore come first once the
 * sign of γ has moved into the convolution. With S = ±1, z' = (S W) * x and its own mean μ' and deviation s:
 *
 *     maxpool(relu(γ/s (z − μ) + β)) = relu(|γ|/s (maxpool(z') − μ') + β)
 *
 * The convolution gives the four corners of the windows as four matrices, so that pooling is three elementwise maxima.
 * (Where γ is exactly 0, all elements of a window are equal after Batch Norm, and the largest before it is chosen. dγ
 * is then that of another subgradient, which is as good.)
 */
import { elementCount } from '../../../arrays/index.ts';
import { type GraphBuilder, sizesOf, type Value } from '../../../graph/index.ts';
import type { Rewriter } from '../../rewrite.ts';
import { batchFirst, batchLast } from '../batch-last.ts';
import { geometryOf } from '../columns.ts';
import { atLeast } from '../indicator.ts';
import type { Block } from './blocks.ts';
import { columnwise } from './columnwise.ts';
import type { Convolution } from './convolution.ts';
import { imagewise } from './imagewise.ts';

export interface Forward {
  readonly block: Block;
  /** The convolution's input and filters. */
  readonly X: Value;
  readonly W: Value;
  readonly convolution: Convolution;
  /** γ, S = ±1 and s = √(σ² + ε), `[O, 1]` each. */
  readonly scale: Value;
  readonly sign: Value;
  readonly deviation: Value;
  /** The maxima of z' over the windows' upper and lower rows, and over whole windows: `[O, windows · N]` each. */
  readonly rows: readonly [upper: Value, lower: Value];
  readonly pooled: Value;
  /** The result of Batch Norm and ReLU. */
  readonly activation: Value;
}

/** @param W `[O, I, kH, kW]` */
export function emitForward(g: Rewriter, block: Block, X: Value, W: Value, gamma: Value, beta: Value): Forward {
  const geometry = geometryOf(block.conv);
  const [scale, shift] = [column(g, gamma), column(g, beta)];
  const sign = g.Sub(g.Mul(atLeast(g, scale, g.scalar(0)), g.scalar(2)), g.scalar(1));
  const emitConvolution = isColumnwise(block) ? columnwise : imagewise;
  const convolution = emitConvolution(g, geometry, batchLast(g, X), g.Reshape(W, g.ints([geometry.O, -1])), sign);
  const { corners, mean, variance } = convolution;
  const [z0, z1, z2, z3] = corners;

  const rows = [g.Max(z0, z1), g.Max(z2, z3)] as const;
  const pooled = g.Max(...rows);
  const deviation = g.Sqrt(g.Add(variance, g.scalar(block.bn.attributes.epsilon)));
  const gain = g.Div(g.Mul(scale, sign), deviation);
  const normalized = g.Add(g.Mul(pooled, gain), g.Sub(shift, g.Mul(gain, mean)));
  return { block, X, W, convolution, scale, sign, deviation, rows, pooled, activation: g.Relu(normalized) };
}

/** Emits the further outputs of the Batch Norm node: the mini-batch's μ = S μ' and σ², `[O]` each. */
export function statisticsOf(g: GraphBuilder, { convolution: { mean, variance }, sign }: Forward) {
  return [g.Mul(mean, sign), variance].map((statistic) => g.Reshape(statistic, g.ints([-1])));
}

/** Emits the block's output in the graph's layout: `[N, O, H / 2, W / 2]`. */
export function outputOf(g: GraphBuilder, { block: { pool }, activation }: Forward): Value {
  const shape = sizesOf(pool.outputs[0], 4);
  return batchFirst(g, g.Reshape(activation, g.ints([-1, shape[0]])), shape);
}

/** Is true for few taps and an input without a gradient, as in a network's first layer. */
function isColumnwise({ conv, isInner }: Block): boolean {
  const [O, ...filter] = sizesOf(conv.inputs[1], 4);
  return !isInner && elementCount(filter) <= 2 * O;
}

const column = (g: GraphBuilder, perChannel: Value): Value => g.Reshape(perChannel, g.ints([-1, 1]));
