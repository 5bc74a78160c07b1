/**
 * Products of transposed matrices without the transposes, which are attributes of Gemm:
 *
 *     (Aᵀ) B, A (Bᵀ)     become     Gemm with transA or transB
 *     (A B)ᵀ             becomes     Bᵀ Aᵀ
 */
import type { Attributes } from '../../graph/index.ts';
import { beforeReshape, transposedOf } from './batch-last.ts';
import { patterns } from '../pattern.ts';
import { replacing, rule } from '../rewrite.ts';

const { Gemm, Transpose } = patterns;

const flip = (bit: 0 | 1 | undefined): 0 | 1 => (bit === 1 ? 0 : 1);

const product = Gemm('A', 'B', undefined).as('gemm');

export const transposedProducts = replacing(
  {
    Gemm: (g, { inputs: [A, B, C], attributes }) => {
      const [a, b] = [transposedOf(g, A), transposedOf(g, B)];
      if (!a && !b) return undefined;
      const { transA = 0, transB = 0 } = attributes;
      const flags = { transA: a ? flip(transA) : transA, transB: b ? flip(transB) : transB };
      return [g.Gemm(a ?? A, b ?? B, C, { ...attributes, ...flags })];
    },
  },
  rule(Transpose('matrix', { perm: [1, 0] }), (g, { matrix }) => {
    const found = product.match(g, beforeReshape(g, matrix));
    return found && g.Gemm(found.B, found.A, undefined, transposed(found.gemm.attributes));
  }),
);

const transposed = (attributes: Attributes<'Gemm'>): Attributes<'Gemm'> => ({
  ...attributes,
  transA: flip(attributes.transB),
  transB: flip(attributes.transA),
});
