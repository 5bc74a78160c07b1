/**
 * The gradient of a convolution's input as a convolution.
 *
 *     dX = ConvTranspose(dY, W)  =  Conv(dY, W'),   W'[i, o, k] = W[o, i, K − 1 − k]
 *
 * with a padding of dilation · (K − 1) − pad, for strides of one. The runtime's Conv is the faster of the two.
 */
import type { GraphBuilder, OpNode, Value } from '../graph/index.ts';
import { sizes } from './match.ts';
import { type Pass, rewrite } from './rewrite.ts';

export const convInputGradient: Pass = (graph) =>
  rewrite(graph, (g, node) => {
    if (node.op !== 'ConvTranspose') return undefined;
    const [dY, W, bias] = node.inputs;
    const { output_padding, ...attributes } = node.attributes;
    const { kernel_shape, dilations, pads, strides, group } = attributes;
    const flippedPads = pads.map((pad, i) => (dilations[i % 2] ?? 1) * ((kernel_shape[i % 2] ?? 1) - 1) - pad);
    const plain =
      group === 1 && !bias && [...strides].every((stride) => stride === 1) && output_padding.every((pad) => pad === 0);
    if (!plain || flippedPads.some((pad) => pad < 0)) return undefined;
    return [g.Conv(dY, flipped(g, W, node), undefined, { ...attributes, pads: flippedPads })];
  });

/** W with its taps reversed, inputs and outputs exchanged: `[O, I, kH, kW] -> [I, O, kH, kW]`. */
function flipped(g: GraphBuilder, W: Value, { attributes: { kernel_shape } }: OpNode<'ConvTranspose'>): Value {
  const [O = 0, I = 0] = sizes(W);
  const taps = kernel_shape.reduce((product, size) => product * size, 1);
  const reversed = g.ints(Array.from({ length: taps }, (_, k) => taps - 1 - k));
  const gathered = g.Gather(g.Reshape(W, g.ints([O, I, taps])), reversed, { axis: 2 });
  return g.Transpose(g.Reshape(gathered, g.ints([O, I, ...kernel_shape])), { perm: [1, 0, 2, 3] });
}
