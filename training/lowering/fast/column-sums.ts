/**
 * Sums down the columns of a matrix `[m, n]` as a product with a row of ones:
 *
 *     ReduceSum(z, axis 0)     becomes     MatMul(1ᵀ, z)
 *     ReduceMean(z, axis 0)    becomes     MatMul(1ᵀ, z) / m
 *
 * The runtime's own reduction walks down one column after the other, against the order of the elements in memory.
 *
 * Gain: without it a step of mnist-mlp at batch 256 takes 1.16 times as long (`npm run bench:lowering`).
 */
import { type GraphBuilder, known, type OpNode, type Value } from '../../graph/index.ts';
import { replacing } from '../rewrite.ts';

export const columnSums = replacing({
  ReduceSum: emitSums,
  ReduceMean: (g, node) =>
    emitSums(g, node)?.map((sums) => g.Div(sums, g.scalar(known('the rows', node.inputs[0].shape[0])))),
});

function emitSums(
  g: GraphBuilder,
  { inputs: [z, axes], attributes: { keepdims } }: OpNode<'ReduceSum' | 'ReduceMean'>,
): readonly Value[] | undefined {
  const [m, n] = z.shape;
  if (z.shape.length !== 2 || z.dtype !== 'float32' || axes.constant?.data.join() !== '0') return undefined;
  if (typeof m !== 'number' || typeof n !== 'number') return undefined;
  const sums = g.MatMul(rowOfOnes(g, m), z);
  return [keepdims === 0 ? g.Reshape(sums, g.ints([n])) : sums];
}

const rowOfOnes = (g: GraphBuilder, m: number): Value =>
  g.constant(`ones[1,${m}]`, { dtype: 'float32', shape: [1, m], data: new Float32Array(m).fill(1) });
