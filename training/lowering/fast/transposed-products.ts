/** Products of transposed matrices without the transposes: (Aᵀ) B, A (Bᵀ) and (A B)ᵀ = Bᵀ Aᵀ are attributes of Gemm. */
import type { GraphBuilder, OpNode, Value } from '../../graph/index.ts';
import { beforeReshape, transposedOf } from './batch-last.ts';
import { permutes, producer } from '../match.ts';
import { replacing } from '../rewrite.ts';

export const transposedProducts = replacing({
  Gemm: transposedFactors,
  Transpose: (g, node) => (permutes(node, [1, 0]) ? transposedProduct(g, node) : undefined),
});

const flip = (bit: 0 | 1 | undefined): 0 | 1 => (bit === 1 ? 0 : 1);

function transposedFactors(g: GraphBuilder, { inputs: [A, B, C], attributes }: OpNode<'Gemm'>): Value[] | undefined {
  const [a, b] = [transposedOf(g, A), transposedOf(g, B)];
  if (!a && !b) return undefined;
  const { transA = 0, transB = 0 } = attributes;
  const flags = { transA: a ? flip(transA) : transA, transB: b ? flip(transB) : transB };
  return [g.Gemm(a ?? A, b ?? B, C, { ...attributes, ...flags })];
}

function transposedProduct(g: GraphBuilder, { inputs: [matrix] }: OpNode<'Transpose'>): Value[] | undefined {
  const gemm = producer(g, beforeReshape(g, matrix), 'Gemm');
  if (!gemm || gemm.inputs[2]) return undefined;
  const { inputs, attributes } = gemm;
  const flags = { transA: flip(attributes.transB), transB: flip(attributes.transA) };
  return [g.Gemm(inputs[1], inputs[0], undefined, { ...attributes, ...flags })];
}
