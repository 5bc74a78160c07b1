/**
 * A transposed convolution in groups, one group at a time:
 *
 *     ConvTranspose(X, W, group G)     becomes     Concat(ConvTranspose(X₁, W₁), …, ConvTranspose(X_G, W_G))
 *
 * ONNX Runtime's WebGPU kernel (1.30) gives wrong numbers for more than one group, without an error.
 */
import { type GraphBuilder, known, type OpNode, type Value } from '../../graph/index.ts';
import { replacing } from '../rewrite.ts';

export const convTransposeGroups = replacing({
  ConvTranspose: (g, node) => (node.attributes.group > 1 ? [emitGroups(g, node)] : undefined),
});

function emitGroups(g: GraphBuilder, { inputs: [X, W, B], attributes }: OpNode<'ConvTranspose'>): Value {
  const { group } = attributes;
  const outputs = Array.from({ length: group }, (_, i) =>
    g.ConvTranspose(part(g, X, 1, i, group), part(g, W, 0, i, group), undefined, { ...attributes, group: 1 }),
  );
  const Y = g.Concat(...outputs, { axis: 1 });
  return B ? g.Add(Y, g.Reshape(B, g.ints([-1, 1, 1]))) : Y;
}

/** Cuts the i-th of `count` equal parts out of an axis. */
function part(g: GraphBuilder, value: Value, axis: number, i: number, count: number): Value {
  const size = known('a grouped axis', value.shape[axis]) / count;
  return g.Slice(value, g.ints([i * size]), g.ints([(i + 1) * size]), g.ints([axis]), g.ints([1]));
}
