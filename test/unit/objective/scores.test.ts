/** The rules of scores hold: their formats, the constant answer's score, and their names in files. */
import { describe, expect, it, test } from 'vitest';
import { historySchema, storedHistory } from '../../../training/checkpoint/history.ts';
import type { ClassificationDataset, RegressionDataset } from '../../../training/data/index.ts';
import {
  baselineOf,
  binary,
  formatReport,
  formatScore,
  huber,
  mse,
  multiclass,
  objectiveKinds,
  objectiveOfOutputs,
  objectiveRuleFor,
  objectiveRuleOf,
  reportOn,
} from '../../../training/objective/index.ts';
import { chooseObjective, type ObjectiveFlags } from '../../../training/run/objective.ts';

const labelled = (labels: readonly number[], classes = ['cat', 'dog', 'eel']): ClassificationDataset => ({
  task: 'classification',
  inputs: new Float32Array(labels.length),
  inputShape: [1],
  count: labels.length,
  labels: Int32Array.from(labels),
  classes,
});

const valued = (values: readonly number[]): RegressionDataset => ({
  task: 'regression',
  inputs: new Float32Array(values.length),
  inputShape: [1],
  count: values.length,
  values: Float32Array.from(values),
});

describe('the baseline', () => {
  test.each([
    ['the most frequent class of the training part', [0, 1, 1, 2], [1, 2, 2, 1, 1], { answer: '"dog"', score: 0.6 }],
    ['the first of equally frequent ones', [2, 1, 1, 2], [1, 2, 2, 2], { answer: '"dog"', score: 0.25 }],
    ['of which the test part may have none', [0, 0, 1], [1, 1], { answer: '"cat"', score: 0 }],
  ])('is %s', (_, train, test, expected) => {
    expect(baselineOf(multiclass(), labelled(train), labelled(test))).toMatchObject(expected);
  });

  test('knows a class by its name', () => {
    const test = labelled([1, 0, 0], ['dog', 'cat', 'eel']);
    expect(baselineOf(multiclass(), labelled([1, 1, 0]), test)).toMatchObject({ answer: '"dog"', score: 2 / 3 });
    // By name, the training part has one cat and two dogs; one more of each class is added.
    const risk = -(Math.log(2 / 6) + 2 * Math.log(3 / 6)) / 3;
    expect(baselineOf(multiclass(), labelled([1, 1, 0]), test).risk).toBeCloseTo(risk, 12);
  });

  test('is the mean of the training part', () => {
    const { answer, score } = baselineOf(huber(), valued([1, 2, 6]), valued([0, 6]));
    expect(answer).toBe('3.000');
    expect(score).toBeCloseTo(3, 6);
  });

  test('is refused for data of another kind', () => {
    expect(() => baselineOf(mse(), labelled([0]), labelled([0]))).toThrow(
      'objective mse: expected data for regression, got 3 classes',
    );
  });
});

describe('a report', () => {
  it('reads as shares in percent and all else as numbers, with the baseline behind the score', () => {
    const dataset = labelled([0, 1, 2, 2]);
    const report = reportOn(dataset, Float32Array.of(2, 1, 0, 0, 3, 1, 1, 2, 5, 4, 4, 0));
    expect(formatReport(multiclass(), report, baselineOf(multiclass(), dataset, dataset))).toBe(
      'accuracy 75.00 % (always "eel": 50.00 %)   F1 0.7778   AUC 0.8333',
    );
    expect(formatReport(multiclass(), report)).toMatch(/^accuracy 75.00 % {3}F1/);
  });

  it('of numbers is in their unit', () => {
    const dataset = valued([1, 2, 3]);
    const report = reportOn(dataset, Float32Array.of(1, 2, 6), mse());
    expect(formatReport(mse(), report, baselineOf(mse(), valued([2, 4]), dataset))).toBe(
      'RMSE 1.732 (always 3.000: 1.291)   R² -3.500',
    );
  });

  it.each(objectiveKinds)('has the score of %s, and nothing but its measures', (kind) => {
    const { task, score, measures } = objectiveRuleOf({ kind });
    const classes = kind === 'binary' ? ['no', 'yes'] : ['a', 'b', 'c', 'd', 'e'];
    const dataset = task === 'classification' ? labelled([0, 1, 1], classes) : valued([1, 2, 3]);
    const outputs = objectiveRuleOf({ kind }).outputs(classes.length);
    const output = Float32Array.from({ length: 3 * outputs }, (_, i) => Math.sin(i));
    const { metrics } = objectiveRuleFor({ kind }, dataset).report(output, dataset);
    expect(Object.keys(metrics)[0]).toBe(score.name);
    expect(measures).toContain(score);
    expect(measures.map(({ name }) => name)).toEqual(expect.arrayContaining(Object.keys(metrics)));
  });

  it.each([
    ['accuracy', 0.98824, '98.82 %'],
    ['top-3', 1, '100.00 %'],
    ['RMSE', 584.341, '584.3'],
    ['something new', 0.123456, '0.1235'],
  ])('formats %s', (name, value, text) => {
    expect(formatScore(name, value)).toBe(text);
  });
});

describe('an objective', () => {
  const flags: ObjectiveFlags = { labelSmoothing: 0.1, balanceClasses: true };

  test.each([
    ['fits the data', {}, labelled([0, 1]), multiclass()],
    [
      'takes its options',
      flags,
      labelled([0, 1, 1], ['no', 'yes']),
      multiclass({ labelSmoothing: 0.1, classWeights: [1.5, 0.75] }),
    ],
    ['measures errors in standard deviations', {}, valued([1, 5]), mse({ unit: 2 })],
    ['of equal numbers has no unit', { objective: 'huber', huberDelta: 3 }, valued([1, 1]), huber(3)],
    [
      'takes an option that is off',
      { objective: 'binary', labelSmoothing: 0, balanceClasses: false },
      labelled([0, 1]),
      binary(),
    ],
  ] as const)('that is chosen %s', (_, chosen, data, expected) => {
    expect(chooseObjective(chosen, data)).toEqual(expected);
  });

  test.each([
    [
      { objective: 'binary', labelSmoothing: 0.1 },
      labelled([0, 1]),
      '--label-smoothing: expected an objective of multiclass, got binary',
    ],
    [{ balanceClasses: true }, valued([1]), '--balance-classes: expected an objective of multiclass, got mse'],
    [{ huberDelta: 1 }, valued([1]), '--huber-delta: expected an objective of huber, got mse'],
    [{ objective: 'mse' }, labelled([0, 1]), 'objective mse: expected data for regression, got 3 classes'],
  ] as const)('that is chosen as %j is refused', (chosen, data, message) => {
    expect(() => chooseObjective(chosen, data)).toThrow(message);
  });

  test.each([
    [0, 1, mse()],
    [2, 1, binary()],
    [2, 2, multiclass()],
    [10, 10, multiclass()],
  ])('of %i classes and %i outputs is taken to be %j', (classes, outputs, expected) => {
    expect(objectiveOfOutputs(classes, outputs)).toEqual(expected);
  });
});

describe('the history in files', () => {
  const history = [{ epoch: 1, train: { loss: 0.5, score: 0.25 }, validation: { loss: NaN, score: NaN } }];

  test.each([
    [multiclass(), 'accuracy'],
    [mse(), 'rmse'],
  ] as const)('names the score of %j and is read back, NaN included', (objective, name) => {
    const text = JSON.stringify(storedHistory(history, objectiveRuleOf(objective).score));
    expect(text).toBe(`[{"epoch":1,"train":{"loss":0.5,"${name}":0.25},"validation":{"loss":null,"${name}":null}}]`);
    expect(historySchema.parse(JSON.parse(text))).toEqual(history);
  });

  test.each([
    ['no score', { loss: 1 }],
    ['two', { loss: 1, accuracy: 1, rmse: 1 }],
    ['one that no objective has', { loss: 1, score: 1 }],
    ['no loss', { accuracy: 1 }],
    ['text', { loss: 1, accuracy: '1' }],
  ])('with %s is refused', (_, evaluation) => {
    expect(historySchema.safeParse([{ epoch: 1, train: evaluation, validation: evaluation }]).success).toBe(false);
  });
});
