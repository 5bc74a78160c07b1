import { describe, expect, test } from 'vitest';
import {
  accuracy,
  classLogits,
  classScores,
  confusionMatrix,
  crossEntropy,
  type Logits,
  macroAuc,
  macroF1,
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

  test('accuracy and top-k accuracy', () => {
    expect(accuracy(logits, labels)).toBe(0.5);
    // The last sample's label shares the largest logit: none is above it.
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

  test('of one class alone is not a number', () => {
    expect(auc([1, 2], [])).toBeNaN();
  });

  test('over several classes is the mean of one against the rest, without the classes that no sample has', () => {
    const scores: Logits = { data: [1, 0, -9, 0, 1, -9, 2, 0, -9], classes: 3 };
    // Class 0 and class 1 each have one pair in order and one not: samples 0, 1 | 2 by p₀ and by p₁.
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
