/** Shape rules of normalization, the classification ops, and control flow. */
import type { OpType } from '../ops.ts';
import { GraphError } from '../types.ts';
import {
  commonDType,
  expectDType,
  expectOneOf,
  expectRank,
  expectShape,
  formatType,
  normalizeAxis,
  type SchemaTable,
} from './schema.ts';

export const normalization = {
  /** `X [N, C, ..]`; scale γ, B β, input_mean μ, input_var σ² are `[C]`. */
  BatchNormalization: {
    inputs: [5, 5],
    attributes: { epsilon: 1e-5, momentum: 0.9, training_mode: 0 },
    infer: ([X, ...perChannel]) => {
      const [, C] = X.shape;
      if (C === undefined) throw new GraphError(`expected X of shape [N, C, ..], got ${formatType(X)}`);
      for (const value of perChannel) expectShape(value.name, value, [C]);
      const dtype = commonDType([X, ...perChannel]);
      const statistic = { dtype, shape: [C] };
      return [{ dtype, shape: X.shape }, statistic, statistic];
    },
  },
  /** `X [.., D]`, where `D` are the axes from `axis` on; Scale γ and B β are `D`, Mean and InvStdDev `[.., 1]`. */
  LayerNormalization: {
    inputs: [3, 3],
    attributes: { axis: -1, epsilon: 1e-5 },
    infer: ([X, Scale, B], { axis }) => {
      const first = normalizeAxis(axis, X.shape.length);
      expectShape('Scale', Scale, X.shape.slice(first));
      expectShape('B', B, X.shape.slice(first));
      const dtype = commonDType([X, Scale, B]);
      const statistic = { dtype, shape: X.shape.map((dim, i) => (i < first ? dim : 1)) };
      return [{ dtype, shape: X.shape }, statistic, statistic];
    },
  },
} satisfies Partial<SchemaTable<OpType>>;

export const classification = {
  Softmax: { inputs: [1, 1], attributes: { axis: -1 }, infer: ([input]) => [input] },
  /** `scores [N, K]`, `labels [N]` of class indices -> a scalar and the log-probabilities `[N, K]`. */
  SoftmaxCrossEntropyLoss: {
    inputs: [2, 2],
    attributes: { reduction: 'mean' },
    infer: ([scores, labels], { reduction }) => {
      expectOneOf('reduction', reduction, 'mean', 'sum');
      expectRank('scores', scores, 2);
      expectDType('labels', labels, 'int32', 'int64');
      expectShape('labels', labels, scores.shape.slice(0, 1));
      return [{ dtype: scores.dtype, shape: [] }, scores];
    },
  },
} satisfies Partial<SchemaTable<OpType>>;

export const control = {
  /**
   * The body takes `(iteration, condition, ...state)` and returns `(condition, ...state, ...scans)`. Carried state
   * keeps its type; each scan output is stacked along a new first axis of length `M`.
   */
  Loop: {
    inputs: [2, Infinity],
    attributes: { body: 'required' },
    infer: ([M, cond, ...state], { body }) => {
      expectDType('M', M, 'int64');
      expectDType('cond', cond, 'bool');
      const results = body.outputs.slice(1);
      if (results.length < state.length || body.inputs.length !== state.length + 2) {
        throw new GraphError(`expected a body that carries ${state.length} values, got ${body.inputs.length - 2}`);
      }
      state.forEach((value, i) => {
        for (const inner of [body.inputs[i + 2], results[i]]) {
          if (!inner) continue;
          expectShape(inner.name, inner, value.shape);
          expectDType(inner.name, inner, value.dtype);
        }
      });
      return results.map(({ dtype, shape }, i) => ({ dtype, shape: i < state.length ? shape : ['M', ...shape] }));
    },
  },
} satisfies Partial<SchemaTable<OpType>>;
