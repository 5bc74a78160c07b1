/** Lists the cases of matrix products. */
import type { Attributes, GraphBuilder, OpType, Value } from '../../../training/graph/index.ts';
import { type Case, type CaseTable, opCase, uniform } from './case.ts';

const matMul = (about: string, a: readonly number[], b: readonly number[]): Case =>
  opCase(about, [uniform(...a), uniform(...b)], (g, A, B) => g.MatMul(A, B));

const bits = [0, 1] as const;
const transposes = bits.flatMap((transA) => bits.map((transB) => ({ transA, transB })));

/** Multiplies A' [3, 4] by B' [4, 5], stored transposed where the attributes say so. */
function gemm(attributes: Attributes<'Gemm'>, c?: readonly number[]): Case {
  const A = uniform(...(attributes.transA ? [4, 3] : [3, 4]));
  const B = uniform(...(attributes.transB ? [5, 4] : [4, 5]));
  const about = `${JSON.stringify(attributes)} ${c ? `with C [${c.join(', ')}]` : 'without C'}`;
  if (!c) return opCase(about, [A, B], (g, a, b) => g.Gemm(a, b, undefined, attributes));
  return opCase(about, [A, B, uniform(...c)], (g, a, b, C) => g.Gemm(a, b, C, attributes));
}

/** Makes two products of A' [3, 4] and B' [4, 5], stored as the attributes say. */
function fusedMatMul(attributes: Attributes<'com.microsoft.FusedMatMul'>): Case {
  const stored = (transBatch: 0 | 1 | undefined, [rows, columns]: readonly [number, number]) =>
    transBatch ? uniform(rows, 2, columns) : uniform(2, rows, columns);
  const A = stored(attributes.transBatchA, attributes.transA ? [4, 3] : [3, 4]);
  const B = stored(attributes.transBatchB, attributes.transB ? [5, 4] : [4, 5]);
  const multiply = (g: GraphBuilder, a: Value, b: Value) => g['com.microsoft.FusedMatMul'](a, b, attributes);
  return opCase(
    JSON.stringify(attributes),
    [A, B],
    multiply,
    'products are differentiated before they are cut into stacks',
  );
}

export const linalg = {
  MatMul: [
    matMul('matrices', [2, 3], [3, 4]),
    matMul('a row and a column', [1, 3], [3, 1]),
    matMul('equal stacks', [2, 2, 3], [2, 3, 4]),
    matMul('a matrix before a stack', [2, 3], [4, 3, 2]),
    matMul('a stack before a matrix', [4, 2, 3], [3, 2]),
    matMul('a stack of one', [1, 2, 3], [4, 3, 1]),
    matMul('stacks that are both repeated', [2, 1, 2, 3], [3, 3, 2]),
    opCase('a matrix times itself', [uniform(3, 3)], (g, a) => g.MatMul(a, a)),
  ],
  'com.microsoft.FusedMatMul': bits.flatMap((transBatchA) =>
    bits.flatMap((transBatchB) => transposes.map((each) => fusedMatMul({ ...each, transBatchA, transBatchB }))),
  ),
  Gemm: [
    gemm({}),
    gemm({}, [3, 5]),
    ...transposes.map((transpose) => gemm({ ...transpose, alpha: 0.5, beta: 2 }, [5])),
    ...transposes.map((transpose) => gemm(transpose)),
    ...[[], [1], [5], [1, 5], [3, 1], [1, 1], [3, 5]].map((c) => gemm({ beta: -1.5 }, c)),
    gemm({ alpha: 3 }),
    gemm({ alpha: 0.25, transB: 1 }, [5]),
    opCase('one value in all three places', [uniform(3, 3)], (g, a) => g.Gemm(a, a, a, { transB: 1 })),
  ],
} satisfies Partial<CaseTable<OpType>>;
