/** Lists the cases of normalizations, losses and loops. */
import type { Attributes, GraphBuilder, OpType, Value } from '../../../training/graph/index.ts';
import { type Case, type CaseTable, fixed, literal, opCase, positive, uniform } from './case.ts';

const statistics: Attributes<'BatchNormalization'> = { epsilon: 1e-5, momentum: 0, training_mode: 1 };
const shapes: readonly (readonly number[])[] = [
  [6, 3],
  [4, 2, 3],
  [3, 2, 2, 3],
];

const batchNorm = (
  about: string,
  shape: readonly number[],
  changes: Partial<Attributes<'BatchNormalization'>>,
  forwardOnly?: string,
): Case => {
  const [, C = 0] = shape;
  const inputs = [uniform(...shape), uniform(C), uniform(C), fixed(uniform(C)), fixed(positive(C))] as const;
  const attributes = { ...statistics, ...changes };
  const outputs = attributes.training_mode === 1 ? 3 : 1;
  return opCase(
    `${about} [${shape.join(', ')}]`,
    inputs,
    (g, ...values) => g.BatchNormalization(...values, attributes).slice(0, outputs),
    forwardOnly,
  );
};

const layerNorm = (about: string, shape: readonly number[], attributes: Attributes<'LayerNormalization'>): Case => {
  const normalized = shape.slice(attributes.axis);
  const inputs = [uniform(...shape), uniform(...normalized), uniform(...normalized)] as const;
  return opCase(about, inputs, (g, ...values) => g.LayerNormalization(...values, attributes));
};

const crossEntropy = (
  about: string,
  dtype: 'int32' | 'int64',
  attributes: Attributes<'SoftmaxCrossEntropyLoss'>,
): Case =>
  opCase(about, [uniform(3, 4), literal(dtype, [3], [3, 0, 3])], (g, scores, labels) =>
    g.SoftmaxCrossEntropyLoss(scores, labels, attributes),
  );

/** Makes a body that adds its iteration and a value of the outer graph to its state, and collects the states. */
function accumulate(g: GraphBuilder, M: Value, cond: Value, start: Value, step: Value): readonly Value[] {
  const b = g.body();
  const i = b.input('i', { dtype: 'int64', shape: [] });
  const going = b.input('going', { dtype: 'bool', shape: [] });
  const state = b.input('state', start);
  const next = b.Add(b.Add(state, step), b.Cast(i, { to: 'float32' }));
  return g.Loop(M, cond, start, { body: b.build('accumulate', { going, next, scan: b.Neg(next) }) });
}

/** Makes a body that continues while the iteration is below 2. */
function stopEarly(g: GraphBuilder, M: Value, cond: Value, start: Value): readonly Value[] {
  const b = g.body();
  const i = b.input('i', { dtype: 'int64', shape: [] });
  b.input('going', { dtype: 'bool', shape: [] });
  const state = b.input('state', start);
  const outputs = { going: b.Greater(b.scalar(2, 'int64'), i), next: b.Mul(state, b.scalar(2)) };
  return g.Loop(M, cond, start, { body: b.build('double', outputs) });
}

const count = literal('int64', [], [4]);
const yes = literal('bool', [], [1]);
const inside = 'a Loop is differentiated inside its body';

export const network = {
  BatchNormalization: [
    ...shapes.map((shape) => batchNorm('the mini-batch’s statistics', shape, {})),
    ...shapes.map((shape) => batchNorm('fixed statistics', shape, { training_mode: 0 })),
    batchNorm('a large epsilon', [4, 3], { epsilon: 0.5 }),
    ...shapes.map((shape) =>
      batchNorm('old statistics kept in part', shape, { momentum: 0.9 }, 'gradients are for momentum 0'),
    ),
  ],
  LayerNormalization: [
    layerNorm('features', [3, 4], { axis: 1, epsilon: 1e-5 }),
    layerNorm('whole images', [3, 2, 2, 3], { axis: 1, epsilon: 1e-5 }),
    layerNorm('the last axis', [2, 3, 4], { axis: -1, epsilon: 1e-5 }),
    layerNorm('a large epsilon', [3, 4], { axis: 1, epsilon: 0.5 }),
    layerNorm('everything together', [2, 3], { axis: 0, epsilon: 1e-5 }),
  ],
  Softmax: [1, 0, -1].map((axis) => opCase(`axis ${axis}`, [uniform(2, 3, 4)], (g, x) => g.Softmax(x, { axis }))),
  SoftmaxCrossEntropyLoss: [
    crossEntropy('the mean', 'int64', { reduction: 'mean' }),
    crossEntropy('the sum', 'int64', { reduction: 'sum' }),
    crossEntropy('int32 labels', 'int32', { reduction: 'mean' }),
    opCase('the log-probabilities', [uniform(3, 4), literal('int64', [3], [3, 0, 3])], (g, scores, labels) => {
      const [, log_prob] = g.SoftmaxCrossEntropyLoss(scores, labels, { reduction: 'mean' });
      return log_prob;
    }),
    opCase(
      'large scores',
      [literal('float32', [2, 3], [1000, 0, -1000, 80, 90, 100]), literal('int64', [2], [0, 1])],
      (g, scores, labels) => g.SoftmaxCrossEntropyLoss(scores, labels, { reduction: 'mean' }),
    ),
  ],
  Loop: [
    opCase('carried state, a scan, a captured value', [count, yes, uniform(2), uniform(2)], accumulate, inside),
    opCase('a condition that ends it', [count, yes, uniform(2)], stopEarly, inside),
    opCase('no iteration', [literal('int64', [], [0]), yes, uniform(2)], stopEarly, inside),
  ],
} satisfies Partial<CaseTable<OpType>>;
