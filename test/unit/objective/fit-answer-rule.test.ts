/** The fitted readings agree with brute force, and satisfy their definitions. */
import { beforeEach, describe, expect, it } from 'vitest';
import { applies, thresholdOf, predictedClass } from '../../../training/answers/index.ts';
import { createRandom, type Dataset } from '../../../training/data/index.ts';
import {
  coverageOf,
  minResidualsFor,
  fitAnswerRule,
  mistakesOf,
  answerRuleOf,
  reportOn,
  scaledBy,
  type ThresholdRule,
} from '../../../training/objective/index.ts';

// Drawn anew for each test, so that its numbers do not depend on the tests before it.
let random = createRandom(5);
beforeEach(() => {
  random = createRandom(5);
});
const logit = (p: number): number => Math.log(p / (1 - p));

/** Draws rows whose labels have the probability sigmoid(z). */
function yesOrNo(count: number): { readonly dataset: Dataset; readonly z: Float32Array } {
  const z = Float32Array.from({ length: count }, () => 2 * random.normal() - 1);
  const labels = Int32Array.from(z, (one) => Number(random.uniform() < 1 / (1 + Math.exp(-one))));
  const dataset = { inputs: new Float32Array(count), inputShape: [1], count, labels, classes: ['no', 'yes'] };
  return { dataset: { task: 'classification', ...dataset }, z };
}

function numbers(values: readonly number[]): Dataset {
  const count = values.length;
  return {
    task: 'regression',
    inputs: new Float32Array(count),
    inputShape: [1],
    count,
    values: Float32Array.from(values),
  };
}

const labelsOf = (dataset: Dataset): Int32Array =>
  dataset.task === 'classification' ? dataset.labels : new Int32Array();

describe('the temperature', () => {
  it.each([0.5, 2, 3])('undoes logits that are %d times as large as they should be', (factor) => {
    const { dataset, z } = yesOrNo(6000);
    const { temperature = NaN } = fitAnswerRule(
      dataset,
      z.map((one) => factor * one),
      {},
    );
    // The standard error of ln T on 6,000 rows is 3 %.
    expect(Math.abs(Math.log(temperature / factor))).toBeLessThan(0.12);
  });

  it('lowers the log loss that it was chosen by, and is left out of fewer than 400 rows', () => {
    const { dataset, z } = yesOrNo(400);
    const wild = z.map((one) => 4 * one);
    const { temperature, notes } = fitAnswerRule(dataset, wild, {});
    const labels = labelsOf(dataset);
    const loss = (output: Float32Array) =>
      output.reduce((sum, one, i) => sum + Math.log1p(Math.exp(one)) - (labels[i] ?? NaN) * one, 0) / output.length;
    expect(notes).toEqual([
      expect.stringMatching(/^temperature [\d.]+: validation log loss [\d.]+ → [\d.]+ on 400 rows$/),
    ]);
    expect(temperature).toBeGreaterThan(1);
    expect(reportOn(dataset, scaledBy(wild, temperature)).calibration?.error).toBeLessThan(
      reportOn(dataset, wild).calibration?.error ?? 0,
    );
    expect(loss(scaledBy(wild, temperature))).toBeLessThan(loss(wild));
    const few = yesOrNo(399);
    expect(fitAnswerRule(few.dataset, few.z.map((one) => 4 * one), {}).temperature).toBeUndefined(); // oxfmt-ignore
  });
});

describe('the threshold', () => {
  const costs = (rule: ThresholdRule, told: readonly boolean[], labels: Int32Array): number => {
    const of = (isTold: boolean, label: number) =>
      told.filter((one, i) => one === isTold && labels[i] === label).length;
    const [tp, fp, fn] = [of(true, 1), of(true, 0), of(false, 1)];
    return rule === 'f1' ? (tp === 0 ? 0 : (-2 * tp) / (2 * tp + fp + fn)) : rule.fp * fp + rule.fn * fn;
  };

  it.each<ThresholdRule>(['f1', { fp: 1, fn: 5 }, { fp: 7, fn: 1 }, { fp: 1, fn: 1 }])(
    'costs no more than any other probability, for %o',
    (rule) => {
      for (const count of [30, 47, 200]) {
        const { dataset, z } = yesOrNo(count);
        // Some rows have the same probability.
        const output = z.map((one) => Math.round(4 * one) / 4);
        const { threshold } = fitAnswerRule(dataset, output, { threshold: { rule } });
        const p = Array.from(output, (one) => 1 / (1 + Math.exp(-one)));
        const costAt = (at: number) => costs(rule, p.map((one) => one >= at), labelsOf(dataset)); // oxfmt-ignore
        const min = Math.min(...[0, ...p, 1].map(costAt));
        expect(costAt(threshold?.at ?? NaN)).toBeCloseTo(min, 12);
      }
    },
  );

  it('is near fp / (fp + fn) where probabilities mean what they say', () => {
    const { dataset, z } = yesOrNo(20_000);
    const { threshold } = fitAnswerRule(dataset, z, { threshold: { rule: { fp: 1, fn: 4 } } });
    expect(threshold?.at).toBeGreaterThan(0.14);
    expect(threshold?.at).toBeLessThan(0.26);
  });

  it('is of the second class, unless another is named, and reads reports and mistakes', () => {
    const { dataset, z } = yesOrNo(300);
    const yes = fitAnswerRule(dataset, z, { threshold: { rule: 0.3 } });
    expect(yes.threshold).toEqual({ class: 1, label: 'yes', at: 0.3 });
    const no = fitAnswerRule(dataset, z, { threshold: { rule: 0.3, positive: 'no' } });
    expect(no.threshold).toEqual({ class: 0, label: 'no', at: 0.3 });
    const right = Array.from(z, (one, i) => Number(one >= logit(0.3)) === labelsOf(dataset)[i]).filter(Boolean).length;
    const report = reportOn(dataset, z, undefined, answerRuleOf(yes));
    expect(report.metrics['accuracy']).toBe(right / 300);
    expect(mistakesOf(dataset, z, undefined, answerRuleOf(yes))).toHaveLength(300 - right);
    // Calibration measures probabilities, which do not depend on the threshold.
    expect(report.calibration).toEqual(reportOn(dataset, z).calibration);
  });

  it('says of which class a threshold is that nobody has named, what it was chosen on, and how to have the other', () => {
    const { dataset, z } = yesOrNo(60);
    const noteOf = (...args: [object, ...('validation' | 'out-of-fold')[]]) =>
      fitAnswerRule(dataset, z, ...args).notes.at(-1);
    expect(noteOf({ threshold: { rule: 'f1' } })).toMatch(
      /^"yes" is the answer from .* chosen for F1 on 60 validation rows; --positive "no" is for the other$/,
    );
    expect(noteOf({ threshold: { rule: 'f1', positive: 'no' } }, 'out-of-fold')).toMatch(
      /^"no" is the answer from .* chosen for F1 on 60 out-of-fold rows$/,
    );
  });

  const classes = (...names: string[]): Dataset => ({ ...yesOrNo(60).dataset, classes: names }) as Dataset;
  it.each<[string, Dataset, object, RegExp]>([
    ['numbers', numbers([1, 2]), { threshold: { rule: 'f1' } }, /--threshold: expected a model of two classes, got one of numbers/],
    ['three classes', classes('a', 'b', 'c'), { threshold: { rule: 0.3 } }, /--threshold: expected a model of two classes, got 3/],
    ['no such class', classes('no', 'yes'), { threshold: { rule: 'f1', positive: 'maybe' } }, /--positive: expected "no" or "yes", got "maybe"/],
    ['few rows', yesOrNo(29).dataset, { threshold: { rule: 'f1' } }, /expected at least 30 validation rows with both classes to choose it by, got 29/],
    ['one class', { ...classes('no', 'yes'), labels: new Int32Array(60) } as Dataset, { threshold: { rule: { fp: 1, fn: 2 } } }, /got 60, 0 of them "yes"/],
    ['an interval of classes', classes('no', 'yes'), { interval: 0.9 }, /--interval: expected a model of numbers, got one of classes/],
    ['an interval of few', numbers(new Array<number>(98).fill(1)), { interval: 0.99 }, /--interval 0.99: expected at least 99 validation rows .* got 98/],
  ])('is refused for %s', (_, dataset, wish, message) => {
    const outputs = dataset.task === 'classification' && dataset.classes.length > 2 ? dataset.classes.length : 1;
    expect(() => fitAnswerRule(dataset, new Float32Array(dataset.count * outputs), wish)).toThrow(message);
  }); // oxfmt-ignore
});

describe('how a class is told', () => {
  it.each<[readonly number[], Parameters<typeof predictedClass>[1], number]>([
    [[0.3, 0.4, 0.3], undefined, 1],
    [[0.4, 0.4, 0.2], undefined, 0],
    [[0.7, 0.3], { class: 1, at: 0.3 }, 1],
    [[0.71, 0.29], { class: 1, at: 0.3 }, 0],
    [[0.3, 0.7], { class: 0, at: 0.3 }, 0],
    [[0.2, 0.8], { class: 0, at: 0.3 }, 1],
    [[0.2, 0.3, 0.5], { class: 0, at: 0.1 }, 2],
  ])('of %o by %o: %d', (probabilities, threshold, told) => {
    expect(predictedClass(probabilities, threshold)).toBe(told);
  });

  it('labels that do not exclude each other apply from their own probabilities on, and else from half', () => {
    const thresholds = { cat: 0.2 };
    expect([applies('cat', 0.2, thresholds), applies('cat', 0.19, thresholds)]).toEqual([true, false]);
    expect([applies('dog', 0.5, thresholds), applies('dog', 0.49, thresholds)]).toEqual([true, false]);
    expect(applies('constructor', 0.5, thresholds)).toBe(true);
    expect(thresholdOf(thresholds, ['dog', 'cat'])).toEqual({ class: 1, at: 0.2 });
  });
});

describe('intervals around numbers', () => {
  it.each([
    [0.5, 1],
    [0.8, 4],
    [0.9, 9],
    [0.95, 19],
    [0.99, 99],
  ])('of the level %d need %d rows', (level, rows) => {
    expect(minResidualsFor(level)).toBe(rows);
    const of = (count: number) =>
      fitAnswerRule(numbers(Array.from({ length: count }, (_, i) => i)), new Float32Array(count), {});
    const has = (count: number) => of(count).intervals?.some((one) => one.level === level) ?? false;
    expect([has(rows), rows > 1 && has(rows - 1)]).toEqual([true, false]);
  });

  it('are as wide as the residual of the rank ⌈(n + 1) level⌉', () => {
    // The residuals are −9 to 9: at a level of 0.9, the half-width is 9, the 18th of 19 absolute values.
    const values = Array.from({ length: 19 }, (_, i) => i - 9);
    const { intervals, level } = fitAnswerRule(numbers(values), new Float32Array(19), { interval: 0.9 });
    const rank = Math.ceil(20 * 0.9);
    const expected = values.map(Math.abs).sort((a, b) => a - b)[rank - 1];
    expect([level, intervals?.find((one) => one.level === 0.9)?.halfWidth]).toEqual([0.9, expected]);
  });

  it.each([0.5, 0.8, 0.9, 0.95])('of the level %d hold so many of other values, whatever the errors are', (level) => {
    let held = 0;
    const repeats = 400;
    for (let i = 0; i < repeats; i++) {
      const skewed = () => Math.exp(random.normal());
      const answers = new Float32Array(40);
      const { intervals = [] } = fitAnswerRule(numbers(Array.from(answers, skewed)), answers, { interval: level });
      const { halfWidth = NaN } = intervals.find((one) => one.level === level) ?? {};
      held += coverageOf(halfWidth, new Float32Array(25), Array.from({ length: 25 }, skewed));
    }
    // The mean is of 400 calibrations of 40 rows. The proven upper bound is the level plus 1 / 41.
    expect(held / repeats).toBeGreaterThan(level - 0.02);
    expect(held / repeats).toBeLessThan(level + 1 / 41 + 0.02);
  });

  it('are left out, and it is said, where there are too few rows and nobody asked for them', () => {
    const { level, intervals, notes } = fitAnswerRule(numbers([1, 2, 3]), new Float32Array(3), {});
    expect([level, intervals?.map((one) => one.level)]).toEqual([undefined, [0.5]]);
    expect(notes).toEqual([
      'without intervals: expected at least 9 validation rows for an interval of 90.00 %, got 3; --validation-share keeps more',
    ]);
  });
});
