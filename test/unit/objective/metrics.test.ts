import { describe, expect, test } from 'vitest';
import {
  accuracy,
  binary,
  classLogits,
  classScores,
  confusionMatrix,
  crossEntropy,
  formatReport,
  type Logits,
  macroAuc,
  macroF1,
  mistakesOf,
  predictions,
  probabilities,
  r2,
  reportOn,
  rmse,
  rocAuc,
  topKAccuracy,
} from '../../../training/objective/index.ts';

/** Four samples of three classes. */
const logits: Logits = { data: [2, 1, 0, 0, 3, 1, 1, 2, 5, 4, 4, 0], classes: 3 };
const labels = [0, 2, 2, 1];

describe('metrics of classes, by hand', () => {
  test('the prediction is the largest logit, the first of equal ones', () => {
    expect([...predictions(logits)]).toEqual([0, 1, 2, 0]);
  });

  test('what is not a number is never right, whatever its place', () => {
    const strange: Logits = { data: [NaN, 0, 0, 0, NaN, 0, NaN, NaN, NaN, 1, 2, 3], classes: 3 };
    expect([...predictions(strange)]).toEqual([-1, -1, -1, 2]);
    expect(accuracy(strange, [0, 1, 2, 2])).toBe(0.25);
    expect(topKAccuracy(strange, [0, 1, 2, 2], 3)).toBe(0.25);
    expect(confusionMatrix(predictions(strange), [0, 1, 2, 2], 3).flat()).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 1]);
  });

  test('accuracy and top-k accuracy', () => {
    expect(accuracy(logits, labels)).toBe(0.5);
    // The last sample's label shares the largest logit, so no logit is above it.
    expect(topKAccuracy(logits, labels, 1)).toBe(0.75);
    expect(topKAccuracy(logits, labels, 2)).toBe(1);
  });

  test('cross-entropy is −ln of the label’s probability, also of huge logits', () => {
    const sample: Logits = { data: [Math.log(1), Math.log(3)], classes: 2 };
    expect(crossEntropy(sample, [0])).toBeCloseTo(Math.log(4), 14);
    expect(probabilities(sample).data[1]).toBeCloseTo(0.75, 14);
    expect(crossEntropy({ data: [1e4, 0], classes: 2 }, [1])).toBe(1e4);
  });

  test('one logit stands for two classes', () => {
    const binary = classLogits(Float32Array.of(1.5, -2), 2);
    expect(binary).toEqual({ data: Float32Array.of(0, 1.5, 0, -2), classes: 2 });
    expect(crossEntropy(binary, [1, 1])).toBeCloseTo((Math.log1p(Math.exp(-1.5)) + Math.log1p(Math.exp(2))) / 2, 14);
  });

  test('the confusion matrix has labels as rows and predictions as columns', () => {
    expect(confusionMatrix([0, 1, 2, 0], labels, 3)).toEqual([
      [1, 0, 0],
      [1, 0, 0],
      [0, 1, 1],
    ]);
  });

  test('precision, recall and F1, 0 for a class that is never found', () => {
    const matrix = [
      [8, 2, 0],
      [4, 6, 0],
      [1, 0, 0],
    ];
    const [a, b, c] = classScores(matrix);
    expect(a).toEqual({ precision: 8 / 13, recall: 0.8, f1: 16 / 23 });
    expect(b).toEqual({ precision: 0.75, recall: 0.6, f1: 12 / 18 });
    expect(c).toEqual({ precision: 0, recall: 0, f1: 0 });
    expect(macroF1(matrix)).toBeCloseTo((16 / 23 + 12 / 18) / 3, 14);
    const absent = [...matrix.slice(0, 2).map((row) => [...row.slice(0, 2), 0]), [0, 0, 0]];
    expect(macroF1(absent)).toBeCloseTo((2 * 8) / 22 / 2 + 12 / 18 / 2, 14);
  });
});

describe('the area under the ROC curve', () => {
  const auc = (scores: readonly number[], positive: readonly number[]) =>
    rocAuc(scores, (sample) => positive.includes(sample));

  test.each([
    ['all positive samples above', [0.1, 0.2, 0.8, 0.9], [2, 3], 1],
    ['all below', [0.9, 0.8, 0.2, 0.1], [2, 3], 0],
    ['three of four pairs in order', [0.1, 0.4, 0.35, 0.8], [2, 3], 0.75],
    ['all scores equal', [1, 1, 1, 1], [0, 2], 0.5],
    ['a tie across the classes counts half', [1, 2, 2, 3], [2, 3], 0.875],
    ['many negatives', [5, 1, 2, 6, 3], [0], 0.75],
  ])('%s', (_about, scores, positive, expected) => {
    expect(auc(scores, positive)).toBeCloseTo(expected, 14);
  });

  test.each([
    ['a score that is not a number has no rank', [1, NaN, 3], [2], NaN],
    ['infinite scores are the largest', [1, Infinity, 3, Infinity], [1, 3], 1],
    ['and the smallest', [-Infinity, 1, -Infinity, 0], [0, 2], 0],
  ])('%s', (_about, scores, positive, expected) => {
    expect(auc(scores, positive)).toBe(expected);
  });

  test('of one class alone is not a number', () => {
    expect(auc([1, 2], [])).toBeNaN();
  });

  test('over several classes is the mean of one against the rest, without the classes that no sample has', () => {
    const scores: Logits = { data: [1, 0, -9, 0, 1, -9, 2, 0, -9], classes: 3 };
    // Classes 0 and 1 each have one pair in order and one not: samples 0, 1 | 2 by p₀ and by p₁.
    expect(macroAuc(scores, [0, 1, 1])).toBeCloseTo(0.5, 14);
  });
});

describe('metrics of numbers, by hand', () => {
  test('RMSE and R²', () => {
    expect(rmse([1, 2, 6], [1, 2, 3])).toBeCloseTo(Math.sqrt(3), 14);
    expect(r2([1, 2, 6], [1, 2, 3])).toBeCloseTo(1 - 9 / 2, 14);
    expect(r2([2, 2, 2], [1, 2, 3])).toBe(0);
    expect(r2([1, 2, 3], [1, 2, 3])).toBe(1);
  });
});

describe('the report', () => {
  test('of numbers', () => {
    const dataset = { task: 'regression', inputs: new Float32Array(3), inputShape: [1], count: 3 } as const;
    const { metrics, confusion } = reportOn({ ...dataset, values: Float32Array.of(1, 2, 3) }, Float32Array.of(1, 2, 6));
    expect(metrics).toEqual({ RMSE: Math.sqrt(3), 'R²': -3.5 });
    expect(confusion).toBeUndefined();
  });

  const yesOrNo = (labels: readonly number[]) =>
    ({
      task: 'classification',
      inputs: new Float32Array(labels.length),
      inputShape: [1],
      count: labels.length,
      labels: Int32Array.from(labels),
      classes: ['no', 'yes'],
    }) as const;

  test.each([NaN, Infinity, -Infinity])(
    'is over the other samples where an answer is %d, and counts these',
    (value) => {
      const others = reportOn(yesOrNo([0, 1, 1]), Float32Array.of(-1, 0.5, -2));
      const report = reportOn(yesOrNo([0, 1, 1, 0]), Float32Array.of(-1, 0.5, -2, value));
      expect(report).toEqual({ ...others, nonFinite: 1 });
      expect(formatReport(binary(), report)).toMatch(
        /^accuracy 66\.67 % .*without 1 samples whose answer is not a number$/,
      );
    },
  );

  test('of answers none of which is a number has no metrics', () => {
    const report = reportOn(yesOrNo([0, 1]), Float32Array.of(NaN, NaN));
    expect(report).toEqual({ metrics: {}, confusion: undefined, nonFinite: 2 });
    expect(reportOn(yesOrNo([]), new Float32Array())).toEqual({ metrics: {}, confusion: undefined, nonFinite: 0 });
  });

  test('names answers that are no numbers as the worst mistakes', () => {
    const mistakes = mistakesOf(yesOrNo([0, 1, 1]), Float32Array.of(2, NaN, 1));
    expect(mistakes.map(({ sample, expected, got }) => [sample, expected, got])).toEqual([
      [1, 'yes', 'not a number'],
      [0, 'no', 'yes'],
    ]);
    const numbers = { task: 'regression', inputs: new Float32Array(2), inputShape: [1], count: 2 } as const;
    const [worst] = mistakesOf({ ...numbers, values: Float32Array.of(5, 6) }, Float32Array.of(1, Infinity));
    expect(worst).toEqual({ sample: 1, expected: '6.000', got: 'not a number', detail: '' });
  });

  test('takes samples without a label, and of a class without a logit, for the worst mistakes', () => {
    const dataset = { task: 'classification', inputs: new Float32Array(3), inputShape: [1], count: 3 } as const;
    const labels = Int32Array.of(1, -1, 3);
    const output = Float32Array.of(3, 0, 0, 5, 0, 0, 7, 0, 0);
    const mistakes = mistakesOf({ ...dataset, labels, classes: ['a', 'b', 'c', 'd'] }, output);
    expect(mistakes.map(({ sample, expected, got, detail }) => [sample, expected, got, detail])).toEqual([
      [1, '', 'a', '98.7 %'],
      [2, 'd', 'a', '99.8 %'],
      [0, 'b', 'a', '90.9 %'],
    ]);
    // The first sample has none before it from which a probability could be taken.
    expect(mistakesOf({ ...dataset, labels: Int32Array.of(-1, 0, 0), classes: ['a', 'b', 'c'] }, output)).toHaveLength(
      1,
    );
  });

  test('of two classes from one logit', () => {
    const dataset = { task: 'classification', inputs: new Float32Array(4), inputShape: [1], count: 4 } as const;
    const report = reportOn(
      { ...dataset, labels: Int32Array.of(0, 0, 1, 1), classes: ['no', 'yes'] },
      Float32Array.of(-1, 0.5, 0.25, 2),
    );
    expect(report.metrics.accuracy).toBe(0.75);
    expect(report.metrics.AUC).toBe(0.75);
    expect(report.metrics.F1).toBeCloseTo((2 / 3 + 4 / 5) / 2, 14);
    expect(report.confusion).toEqual([
      [1, 1],
      [0, 2],
    ]);
  });
});

describe('calibration', () => {
  test('compares the probability of the answers with how often they are right', () => {
    // Two answers have 75 %, one of which is right, and one has 95 % and is right.
    const logit = (p: number) => Math.log(p / (1 - p));
    const dataset = { task: 'classification', inputs: new Float32Array(3), inputShape: [1], count: 3 } as const;
    const labelled = { ...dataset, labels: Int32Array.of(1, 0, 1), classes: ['no', 'yes'] };
    const { calibration } = reportOn(labelled, Float32Array.of(logit(0.75), logit(0.75), logit(0.95)));
    expect(calibration?.bins.map(({ from, to, samples, accuracy }) => [from, to, samples, accuracy])).toEqual([
      [0.7, 0.8, 2, 0.5],
      [0.9, 1, 1, 1],
    ]);
    expect(calibration?.error).toBeCloseTo((2 * 0.25 + 0.05) / 3, 6);
  });
});
