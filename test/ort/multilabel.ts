/**
 * An objective that the project does not have: each of two labels applies to a sample or not, by a logit of its own.
 */
import type { Dataset, Samples } from '../../training/data/index.ts';
import type { GraphBuilder, Value } from '../../training/graph/index.ts';
import type { Objective, ObjectiveKind, ObjectiveRule, Score } from '../../training/objective/index.ts';

/** A data set with neither classes nor numbers to predict. */
export interface LabelledDataset extends Samples {
  readonly task: 'labels';
  /** `[count, 2]`, 1 where a label applies. */
  readonly flags: Float32Array;
}

export const asDataset = (dataset: LabelledDataset): Dataset => dataset as unknown as Dataset;
const flagsOf = (dataset: Dataset): Float32Array => (dataset as unknown as LabelledDataset).flags;

export const multilabel = { kind: 'multilabel' } as unknown as Objective;

const score: Score = { name: 'exact match', key: 'exact_match', better: 'higher', format: (share) => `${share}` };

/** Returns the share of samples with all labels right. */
const exactMatch = (logits: Float32Array, flags: Float32Array): number =>
  matches(logits, flags).filter(Boolean).length / (flags.length / 2);

const matches = (logits: Float32Array, flags: Float32Array): readonly boolean[] =>
  Array.from({ length: flags.length / 2 }, (_, sample) =>
    [0, 1].every((k) => Number((logits[2 * sample + k] ?? NaN) > 0) === flags[2 * sample + k]),
  );

const sum = (g: GraphBuilder, values: Value, ...axes: number[]): Value =>
  g.ReduceSum(values, g.ints(axes), { keepdims: 0 });

export const multilabelRule: ObjectiveRule<ObjectiveKind> = {
  task: 'labels' as Dataset['task'],
  options: [],
  create: () => multilabel,
  outputs: () => 2,
  targets: { dtype: 'float32', shape: (outputs) => [outputs] },
  targetsOf: (dataset) => ({ dtype: 'float32', shape: [dataset.count, 2], data: flagsOf(dataset) }),
  emitLoss: (g, _objective, z, y) => g.ReduceMean(g.Sub(g.Softplus(z), g.Mul(y, z)), g.ints([0, 1]), { keepdims: 0 }),
  emitScore: (g, _objective, z, y) => {
    const right = g.Cast(g.Equal(g.Cast(g.Greater(z, g.scalar(0)), { to: 'float32' }), y), { to: 'float32' });
    return sum(g, g.Cast(g.Equal(sum(g, right, 1), g.scalar(2)), { to: 'float32' }), 0);
  },
  summarize: (_objective, loss, right, count) => ({ loss, score: right / count }),
  score,
  measures: [score],
  evaluate: (_objective, z, dataset) => {
    const flags = flagsOf(dataset);
    const loss = z.reduce((sum, logit, i) => sum + Math.log1p(Math.exp(logit)) - (flags[i] ?? NaN) * logit, 0);
    return { loss: loss / z.length, score: exactMatch(z, flags) };
  },
  report: (z, dataset) => ({ metrics: { 'exact match': exactMatch(z, flagsOf(dataset)) }, confusion: undefined }),
  mistakes: (z, dataset) =>
    matches(z, flagsOf(dataset)).flatMap((isRight, sample) =>
      isRight ? [] : [{ sample, expected: '', got: '', detail: '' }],
    ),
  risk: { name: 'wrong', of: (z, dataset) => 1 - exactMatch(z, flagsOf(dataset)) },
  baseline: (_train, test) => ({
    answer: 'neither',
    score: exactMatch(new Float32Array(2 * test.count), flagsOf(test)),
  }),
  expected: () => '',
  predictions: { header: () => [], row: () => [] },
  output: 'probabilities',
  average: 'sigmoid',
  answers: (outputs) => outputs,
  emitAnswer: (g, z) => g.Sigmoid(z),
  answerOf: (z) => z.map((logit) => 1 / (1 + Math.exp(-logit))),
  agreement: { answerName: 'probabilities', successText: 'the same probabilities', errorKind: 'absolute' },
};
