/** Shape rules of matrix products. */
import type { OpType } from '../ops.ts';
import { GraphError, type Shape } from '../types.ts';
import { broadcastShapes, commonDType, expectRank, formatShape, type SchemaTable } from './schema.ts';

const transposed = (shape: Shape, transpose: 0 | 1 | undefined): Shape => (transpose ? shape.toReversed() : shape);

const stackFirst = (shape: Shape, transpose: 0 | 1 | undefined): Shape => [
  ...transposed(shape.slice(0, 2), transpose),
  ...shape.slice(2),
];

const lastTwoSwapped = (shape: Shape, transpose: 0 | 1 | undefined): Shape => [
  ...shape.slice(0, 1),
  ...transposed(shape.slice(1), transpose),
];

function contract(a: Shape, b: Shape): Shape {
  if (a.length < 2 || b.length < 2 || a.at(-1) !== b.at(-2)) {
    throw new GraphError(`expected matrices [.., M, K] and [.., K, N], got ${formatShape(a)} and ${formatShape(b)}`);
  }
  return [...broadcastShapes(a.slice(0, -2), b.slice(0, -2)), ...a.slice(-2, -1), ...b.slice(-1)];
}

export const linalg = {
  /** Stacks of matrices: `[.., M, K] · [.., K, N] -> [.., M, N]`. */
  MatMul: {
    inputs: [2, 2],
    attributes: {},
    broadcasts: true,
    infer: ([A, B]) => [{ dtype: commonDType([A, B]), shape: contract(A.shape, B.shape) }],
  },
  /** `alpha · A' · B' + beta · C`, where `C` broadcasts to the product's shape. */
  Gemm: {
    inputs: [2, 3],
    attributes: { alpha: 'optional', beta: 'optional', transA: 'optional', transB: 'optional' },
    broadcasts: true,
    infer: ([A, B, C], { transA, transB }) => {
      expectRank('A', A, 2);
      expectRank('B', B, 2);
      const shape = contract(transposed(A.shape, transA), transposed(B.shape, transB));
      if (C && formatShape(broadcastShapes(C.shape, shape)) !== formatShape(shape)) {
        throw new GraphError(`expected C to broadcast to ${formatShape(shape)}, got ${formatShape(C.shape)}`);
      }
      return [{ dtype: commonDType(C ? [A, B, C] : [A, B]), shape }];
    },
  },
  /** `[stack, M, K] · [stack, K, N] -> [stack, M, N]`; with `transBatchA` A is stored as `[M, stack, K]`. */
  'com.microsoft.FusedMatMul': {
    inputs: [2, 2],
    attributes: { transA: 'optional', transB: 'optional', transBatchA: 'optional', transBatchB: 'optional' },
    infer: ([A, B], { transA, transB, transBatchA, transBatchB }) => {
      expectRank('A', A, 3);
      expectRank('B', B, 3);
      const a = lastTwoSwapped(stackFirst(A.shape, transBatchA), transA);
      const b = lastTwoSwapped(stackFirst(B.shape, transBatchB), transB);
      return [{ dtype: commonDType([A, B]), shape: contract(a, b) }];
    },
  },
} satisfies Partial<SchemaTable<OpType>>;
