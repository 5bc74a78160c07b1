/**
 * Sums down the columns of a matrix `[m, n]` as a product with a row of ones:
 *
 *     Σᵢ z[i, j] = (1ᵀ z)[j]
 *
 * The runtime's own reduction walks down one column after the other, against the order of the elements in memory.
 */
import type { GraphBuilder, Value } from '../graph/index.ts';
import { type Pass, rewrite } from './rewrite.ts';

export const columnSums: Pass = (graph) =>
  rewrite(graph, (g, node) => {
    if (node.op !== 'ReduceSum' && node.op !== 'ReduceMean') return undefined;
    const [z, axes] = node.inputs;
    const [m, n] = z.shape;
    if (z.shape.length !== 2 || z.dtype !== 'float32' || axes.constant?.data.join() !== '0') return undefined;
    if (typeof m !== 'number' || typeof n !== 'number') return undefined;
    const sums = g.MatMul(rowOfOnes(g, m), z);
    const flat = node.attributes.keepdims === 0 ? g.Reshape(sums, g.ints([n])) : sums;
    return [node.op === 'ReduceMean' ? g.Div(flat, g.scalar(m)) : flat];
  });

const rowOfOnes = (g: GraphBuilder, m: number): Value =>
  g.constant(`ones[1,${m}]`, { dtype: 'float32', shape: [1, m], data: new Float32Array(m).fill(1) });
