/** Gradients of the matrix products. */
import type { GraphBuilder, OpType, Value } from '../../graph/index.ts';
import { notDifferentiable, type RuleTable } from '../rule.ts';

/** Swaps the last two axes. */
function transpose(g: GraphBuilder, matrices: Value): Value {
  const rank = matrices.shape.length;
  const perm = Array.from({ length: rank }, (_, i) => i);
  return g.Transpose(matrices, { perm: [...perm.slice(0, -2), rank - 1, rank - 2] });
}

const not = (bit: 0 | 1): 0 | 1 => (bit ? 0 : 1);

export const linalg = {
  // d(A · B) = dA · B + A · dB, so dA = dY · Bᵀ and dB = Aᵀ · dY
  MatMul: (g, { inputs: [A, B] }, [dY]) => [g.MatMul(dY, transpose(g, B)), g.MatMul(transpose(g, A), dY)],

  // Y = α A' B' + β C with A' = A or Aᵀ:  dA' = α dY B'ᵀ,  dB' = α A'ᵀ dY,  dC = β dY
  Gemm: (g, { inputs: [A, B, C], attributes: { alpha = 1, beta = 1, transA = 0, transB = 0 } }, [dY]) => [
    transA
      ? g.Gemm(B, dY, undefined, { alpha, transA: transB, transB: 1 })
      : g.Gemm(dY, B, undefined, { alpha, transB: not(transB) }),
    transB
      ? g.Gemm(dY, A, undefined, { alpha, transA: 1, transB: transA })
      : g.Gemm(A, dY, undefined, { alpha, transA: not(transA) }),
    !C ? null : beta === 1 ? dY : g.Mul(dY, g.scalar(beta)),
  ],
  'com.microsoft.FusedMatMul': notDifferentiable('products are differentiated before they are cut into stacks'),
} satisfies Partial<RuleTable<OpType>>;
