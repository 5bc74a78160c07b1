/** The objectives with numbers: the squared error and Huber's loss. */
import { at, present } from '../../arrays/index.ts';
import { type RegressionDataset, targetStatistics } from '../../data/index.ts';
import { fourDigits } from '../../files/index.ts';
import type { GraphBuilder, Value } from '../../graph/index.ts';
import { r2, rmse } from '../metrics/regression.ts';
import * as objectives from '../objective.ts';
import type { ObjectiveKind, ObjectiveOf } from '../objective.ts';
import type { Baseline, Mistake, ObjectiveRule, Score } from '../rule.ts';

const score: Score = { name: 'RMSE', key: 'rmse', better: 'lower', format: fourDigits };

/** The loss of the error e = output − value, in units, on the host and as graph nodes. */
interface Loss<K extends ObjectiveKind> {
  readonly of: (objective: ObjectiveOf<K>, e: number) => number;
  readonly emit: (g: GraphBuilder, objective: ObjectiveOf<K>, e: Value) => Value;
}

/** Emits the error `[B, 1]` of the output `[B, 1]` and the values `[B]`. */
const errorOf = (g: GraphBuilder, output: Value, values: Value): Value =>
  g.Sub(output, g.Reshape(values, g.ints([-1, 1])));

/** Emits the error in units: squares of very large or very small errors would leave the range of float32. */
const inUnitsOf = (g: GraphBuilder, unit: number | undefined, e: Value): Value =>
  unit === undefined ? e : g.Div(e, g.scalar(unit));

const regression = <K extends Exclude<ObjectiveKind, 'multiclass' | 'binary'>>(
  loss: Loss<K>,
  chosen: Pick<ObjectiveRule<K, RegressionDataset>, 'options' | 'create'>,
): ObjectiveRule<K, RegressionDataset> => ({
  ...chosen,
  task: 'regression',
  outputs: () => 1,
  average: 'values',
  targets: { dtype: 'float32', shape: () => [] },
  targetsOf: ({ values, count }) => ({ dtype: 'float32', shape: [count], data: values }),
  emitLoss: (g, objective, output, values) => {
    const e = inUnitsOf(g, objective.unit, errorOf(g, output, values));
    return g.ReduceMean(loss.emit(g, objective, e), g.ints([0, 1]), { keepdims: 0 });
  },
  emitScore: (g, { unit }, output, values) => {
    const e = inUnitsOf(g, unit, errorOf(g, output, values));
    return g.ReduceSum(g.Mul(e, e), g.ints([0, 1]), { keepdims: 0 });
  },
  summarize: ({ unit = 1 }, mean, squares, count) => ({ loss: mean, score: unit * Math.sqrt(squares / count) }),
  score,
  measures: [score, { name: 'R²', key: 'r2', better: 'higher', format: fourDigits }],
  evaluate: (objective, output, { values }) => {
    const { unit = 1 } = objective;
    const total = output.reduce((sum, y, i) => sum + loss.of(objective, (y - present(values[i])) / unit), 0);
    return { loss: total / output.length, score: rmse(output, values) };
  },
  report: (output, { values }) => ({
    metrics: { RMSE: rmse(output, values), 'R²': r2(output, values) },
    confusion: undefined,
  }),
  mistakes,
  risk: { name: score.name, of: (output, { values }) => rmse(output, values) },
  baseline,
  expected: ({ values }, sample) => fourDigits(at(values, sample)),
  predictions: {
    header: (_dataset, { halfWidth } = {}) => [
      'expected',
      'predicted',
      ...(halfWidth === undefined ? [] : ['low', 'high']),
    ],
    row: (output, { values }, sample, { halfWidth } = {}) => {
      const value = at(output, sample);
      const ends = halfWidth === undefined ? [] : [value - halfWidth, value + halfWidth];
      return [at(values, sample), value, ...ends].map(shortest);
    },
  },
  output: 'number',
  answers: (outputs) => outputs,
  emitAnswer: (_g, output) => output,
  answerOf: (output) => output,
  agreement: { answerName: 'a number', successText: 'the same numbers', errorKind: 'relative' },
});

/** Formats a float32 without digits beyond its precision. */
const shortest = (value: number): string => (Number.isFinite(value) ? String(Number(value.toPrecision(8))) : '');

/** Returns the answers, ordered by the size of their error. */
function mistakes(output: Float32Array, { values }: RegressionDataset): readonly Mistake[] {
  const error = (sample: number) => Math.abs(present(output[sample]) - present(values[sample]));
  return [...values.keys()]
    .sort((a, b) => error(b) - error(a))
    .map((sample) => ({
      sample,
      expected: fourDigits(at(values, sample)),
      got: fourDigits(at(output, sample)),
      detail: `off by ${fourDigits(error(sample))}`,
    }));
}

/** Returns the mean of the training part. */
function baseline(train: RegressionDataset, { values }: RegressionDataset): Baseline {
  const mean = at(targetStatistics(train).mean, 0);
  return { answer: fourDigits(mean), score: rmse(new Float32Array(values.length).fill(mean), values) };
}

/** Returns the standard deviation of the numbers to predict; undefined where they do not vary. */
function unitOf(dataset: RegressionDataset): number | undefined {
  const deviation = at(targetStatistics(dataset).deviation, 0);
  return deviation > 0 ? deviation : undefined;
}

/** The squared error e². */
export const mse = regression<'mse'>(
  {
    of: (_objective, e) => e * e,
    emit: (g, _objective, e) => g.Mul(e, e),
  },
  {
    options: [],
    create: (_options, dataset) => objectives.mse({ unit: unitOf(dataset) }),
  },
);

/**
 * Huber's loss c (e − c / 2) with c = e clipped to [−δ, δ]: ½ e² inside, δ (|e| − δ / 2) outside. Huber,
 * https://doi.org/10.1214/aoms/1177703732
 */
export const huber = regression<'huber'>(
  {
    of: ({ delta }, e) => {
      const c = Math.min(Math.max(e, -delta), delta);
      return c * (e - c / 2);
    },
    emit: (g, { delta }, e) => {
      const c = g.Clip(e, g.scalar(-delta), g.scalar(delta));
      return g.Mul(c, g.Sub(e, g.Mul(c, g.scalar(0.5))));
    },
  },
  {
    options: ['huberDelta'],
    create: ({ huberDelta }, dataset) => objectives.huber(huberDelta, { unit: unitOf(dataset) }),
  },
);
