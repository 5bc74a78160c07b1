/** Evaluates matrix products. */
import type { OpType } from '../../../training/graph/index.ts';
import { broadcast, build, dim, type NdArray, range, read, readBroadcast } from '../ndarray.ts';
import type { EvaluatorTable } from './evaluator.ts';

const transposed = (matrix: NdArray, transpose: 0 | 1): NdArray =>
  transpose ? build(matrix.shape.toReversed(), (index) => read(matrix, index.toReversed())) : matrix;

/** Multiplies stacks of matrices, `[.., M, K] · [.., K, N]`; the stacks broadcast. */
function product(A: NdArray, B: NdArray): NdArray {
  const stack = broadcast(A.shape.slice(0, -2), B.shape.slice(0, -2));
  const [M, K, N] = [dim(A.shape, -2), dim(A.shape, -1), dim(B.shape, -1)];
  const pick = (array: NdArray, index: readonly number[], row: number, column: number) => {
    const own = array.shape.slice(0, -2);
    const skipped = stack.length - own.length;
    const batch = own.map((size, axis) => (size === 1 ? 0 : dim(index, axis + skipped)));
    return read(array, [...batch, row, column]);
  };
  return build([...stack, M, N], (index) =>
    range(K).reduce((sum, k) => sum + pick(A, index, dim(index, -2), k) * pick(B, index, k, dim(index, -1)), 0),
  );
}

const permuted = (array: NdArray, perm: readonly number[], wanted: 0 | 1): NdArray => {
  const place = (axes: readonly number[]) => axes.map((_, axis) => dim(axes, dim(perm, axis)));
  return wanted ? build(place(array.shape), (index) => read(array, place(index))) : array;
};

export const linalg = {
  MatMul: ([A, B]) => [product(A, B)],
  'com.microsoft.FusedMatMul': ([A, B], { transA = 0, transB = 0, transBatchA = 0, transBatchB = 0 }) => {
    const [stackSecond, lastTwo] = [
      [1, 0, 2],
      [0, 2, 1],
    ];
    const a = permuted(permuted(A, stackSecond, transBatchA), lastTwo, transA);
    return [product(a, permuted(permuted(B, stackSecond, transBatchB), lastTwo, transB))];
  },
  Gemm: ([A, B, C], { alpha = 1, beta = 1, transA = 0, transB = 0 }) => {
    const AB = product(transposed(A, transA), transposed(B, transB));
    return [build(AB.shape, (index) => alpha * read(AB, index) + (C ? beta * readBroadcast(C, index) : 0))];
  },
} satisfies Partial<EvaluatorTable<OpType>>;
