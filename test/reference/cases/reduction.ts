/** Lists the cases of ops that combine elements along axes. */
import type { GraphBuilder, OpType, Value } from '../../../training/graph/index.ts';
import { type Case, type CaseTable, distinct, literal, opCase, uniform } from './case.ts';

type Keepdims = Readonly<{ keepdims: 0 | 1 }>;

const reductions = (
  emit: (g: GraphBuilder, data: Value, axes: Value, attributes: Keepdims) => Value,
  forwardOnly?: string,
): readonly Case[] =>
  [[0], [1], [-1], [0, 2], [1, -1], [0, 1, 2]].flatMap((axes) =>
    ([0, 1] as const).map((keepdims) =>
      opCase(
        `axes ${axes.join(', ')}, keepdims ${keepdims}`,
        [uniform(2, 3, 4)],
        (g, data) => emit(g, data, g.ints(axes), { keepdims }),
        forwardOnly,
      ),
    ),
  );

const argMax = (axis: number, keepdims: 0 | 1): Case =>
  opCase(
    `axis ${axis}, keepdims ${keepdims}`,
    [distinct(2, 3, 4)],
    (g, data) => g.ArgMax(data, { axis, keepdims }),
    'ArgMax gives integers',
  );

export const reduction = {
  ReduceSum: [
    ...reductions((g, data, axes, attributes) => g.ReduceSum(data, axes, attributes)),
    opCase(
      'int32 elements',
      [literal('int32', [2, 2], [1, 2, 3, -4])],
      (g, data) => g.ReduceSum(data, g.ints([0]), { keepdims: 0 }),
      'integers have no gradient',
    ),
  ],
  ReduceMean: reductions((g, data, axes, attributes) => g.ReduceMean(data, axes, attributes)),
  ReduceMax: reductions(
    (g, data, axes, attributes) => g.ReduceMax(data, axes, attributes),
    'ReduceMax is emitted by lowering only',
  ),
  ArgMax: [
    argMax(0, 0),
    argMax(1, 1),
    argMax(-1, 0),
    opCase(
      'of equal elements the first',
      [literal('float32', [2, 3], [1, 5, 5, 2, 2, 2])],
      (g, data) => g.ArgMax(data, { axis: 1, keepdims: 0 }),
      'ArgMax gives integers',
    ),
  ],
} satisfies Partial<CaseTable<OpType>>;
