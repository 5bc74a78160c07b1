/** The emitted loss of each objective, and its gradient, agree with its formula in float64. */
import { describe, expect, test } from 'vitest';
import { gradients } from '../../../training/autodiff/index.ts';
import type { Dataset } from '../../../training/data/index.ts';
import { checkGraph, graphBuilder } from '../../../training/graph/index.ts';
import {
  binary,
  checkObjective,
  huber,
  mse,
  multiclass,
  type Objective,
  objectiveKinds,
  objectiveRuleOf,
} from '../../../training/objective/index.ts';
import { expectAllClose, expectClose } from '../../reference/close.ts';
import { evaluate } from '../../reference/evaluate.ts';
import { element, range, scalar } from '../../reference/ndarray.ts';

interface Row {
  readonly about: string;
  readonly objective: Objective;
  readonly output: readonly number[];
  readonly targets: readonly number[];
  /** Computes the loss of one sample. */
  readonly formula: (output: readonly number[], target: number) => number;
  readonly score: number;
}

const logSoftmax = (z: readonly number[]) => z.map((x) => x - Math.log(z.reduce((sum, y) => sum + Math.exp(y), 0)));
const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));
const logits = [2, 1, 0.5, 0, 3, 1];
const numbers = [1, -2, 0.25, 4];
const values = [1.5, 1, 0.25, -1];

const rows: readonly Row[] = [
  {
    about: 'multi-class',
    objective: multiclass(),
    output: logits,
    targets: [0, 2],
    formula: (z, y) => -element(logSoftmax(z), y),
    score: 1,
  },
  {
    about: 'multi-class with label smoothing, which keeps 0.3 for all classes',
    objective: multiclass({ labelSmoothing: 0.3 }),
    output: logits,
    targets: [0, 2],
    formula: (z, y) => -logSoftmax(z).reduce((sum, p, k) => sum + (k === y ? 0.8 : 0.1) * p, 0),
    score: 1,
  },
  {
    about: 'multi-class with weights',
    objective: multiclass({ classWeights: [0.5, 1, 3] }),
    output: logits,
    targets: [0, 2],
    formula: (z, y) => -element([0.5, 1, 3], y) * element(logSoftmax(z), y),
    score: 1,
  },
  {
    about: 'binary',
    objective: binary(),
    output: numbers,
    targets: [1, 1, 0, 0],
    formula: ([z = NaN], y) => -y * Math.log(sigmoid(z)) - (1 - y) * Math.log(1 - sigmoid(z)),
    score: 1,
  },
  {
    about: 'binary at a logit of zero',
    objective: binary(),
    output: [0],
    targets: [1],
    formula: ([z = NaN]) => -Math.log(sigmoid(z)),
    score: 0,
  },
  {
    about: 'the squared error',
    objective: mse(),
    output: numbers,
    targets: values,
    formula: ([y = NaN], value) => (y - value) ** 2,
    score: 0.25 + 9 + 25,
  },
  {
    about: 'Huber’s loss',
    objective: huber(2),
    output: numbers,
    targets: values,
    formula: ([y = NaN], value) => {
      const e = Math.abs(y - value);
      return e <= 2 ? e ** 2 / 2 : 2 * (e - 1);
    },
    score: 0.25 + 9 + 25,
  },
];

/** Returns the loss, d_output and the score of a mini-batch. */
function emitted({ objective, targets }: Row, output: readonly number[]) {
  const { targets: of, emitLoss, emitScore } = objectiveRuleOf(objective);
  const shape = [targets.length, output.length / targets.length];
  const g = graphBuilder();
  const [y, t] = [
    g.input('output', { dtype: 'float32', shape }),
    g.input('targets', { dtype: of.dtype, shape: [targets.length, ...of.shape(shape[1] ?? NaN)] }),
  ];
  const loss = emitLoss(g, objective, y, t);
  const [d_output] = gradients(g, loss, [y]);
  if (!d_output) throw new Error('expected a gradient');
  const graph = checkGraph(g.build('objective', { loss, d_output, score: emitScore(g, objective, y, t) }));
  return evaluate(graph, {
    output: { shape, data: Float64Array.from(output) },
    targets: { shape: [targets.length], data: Float64Array.from(targets) },
  });
}

function meanLoss({ targets, formula }: Row, output: readonly number[]): number {
  const K = output.length / targets.length;
  const losses = targets.map((target, n) => formula(output.slice(n * K, (n + 1) * K), target));
  return losses.reduce((sum, loss) => sum + loss, 0) / targets.length;
}

describe('the loss and its gradient', () => {
  test('are compared for every objective', () => {
    expect(new Set(rows.map(({ objective }) => objective.kind))).toEqual(new Set(objectiveKinds));
  });

  test.each(rows)('$about', (row) => {
    const { loss, d_output, score } = emitted(row, row.output);
    if (!loss || !d_output) throw new Error('expected results');
    expectClose('loss', loss, scalar(meanLoss(row, row.output)), { rtol: 1e-7 });
    const h = 1e-5;
    const differences = row.output.map((z, i) => {
      const [above, below] = [z + h, z - h].map((moved) => meanLoss(row, row.output.with(i, moved)));
      return ((above ?? NaN) - (below ?? NaN)) / (2 * h);
    });
    expectAllClose('d_output', d_output.data, differences, { rtol: 5e-7, atol: 1e-10 });
    expect(score?.data[0]).toBeCloseTo(row.score, 6);
  });
});

/** Returns a data set with these targets, and with so many classes where they are labels. */
function datasetOf(targets: readonly number[], classes: number): Dataset {
  const samples = { inputs: new Float32Array(targets.length), inputShape: [1], count: targets.length };
  const names = range(classes).map((k) => `class ${k}`);
  return classes > 0
    ? { task: 'classification', ...samples, labels: Int32Array.from(targets), classes: names }
    : { task: 'regression', ...samples, values: Float32Array.from(targets) };
}

function evaluateRow({ objective, output, targets }: Pick<Row, 'objective' | 'output' | 'targets'>) {
  const rule = objectiveRuleOf(objective);
  const classes = rule.task === 'classification' ? Math.max(2, output.length / targets.length) : 0;
  return rule.evaluate(objective, Float32Array.from(output), datasetOf(targets, classes));
}

describe('evaluation on the host', () => {
  test.each(rows.filter(({ objective }) => objective.kind !== 'multiclass'))(
    '$about is the mean of the formula',
    (row) => {
      const { loss } = evaluateRow(row);
      expect(loss).toBeCloseTo(meanLoss(row, row.output), 6);
    },
  );

  test('ignores smoothing and weights', () => {
    const [plain, changed] = [multiclass(), multiclass({ labelSmoothing: 0.3, classWeights: [1, 2, 3] })].map(
      (objective) => evaluateRow({ objective, output: logits, targets: [0, 2] }),
    );
    expect(changed).toEqual(plain);
    expect(plain?.loss).toBeCloseTo(
      range(2).reduce((sum, n) => sum - element(logSoftmax(logits.slice(3 * n, 3 * n + 3)), 2 * n), 0) / 2,
      6,
    );
  });
});

describe('an objective that does not fit', () => {
  test.each([
    [multiclass(), [3], 0, 'objective multiclass: expected data for classification, got numbers'],
    [mse(), [1], 3, 'objective mse: expected data for regression, got 3 classes'],
    [multiclass(), [4], 3, 'objective multiclass: expected a network that ends in [3], got [4]'],
    [multiclass(), [3, 2, 2], 3, 'objective multiclass: expected a network that ends in [3], got [3, 2, 2]'],
    [binary(), [1], 3, 'objective binary: expected 2 classes, got 3'],
    [huber(), [2], 0, 'objective huber: expected a network that ends in [1], got [2]'],
  ] as const)('%j, output %j, %i classes', (objective, shape, classes, message) => {
    expect(() => {
      checkObjective(objective, shape, datasetOf([0, 1], classes));
    }).toThrow(message);
  });
});
