import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  classWeights,
  countLabels,
  createRandom,
  joined,
  splitDataset,
  subset,
  type ClassificationDataset,
  type Dataset,
} from '../../../training/data/index.ts';
import { UserError } from '../../../training/files/errors.ts';

/** Makes samples of two inputs: the sample's number and its label. */
function labelled(labels: readonly number[], classes = 4): ClassificationDataset {
  return {
    task: 'classification',
    inputs: Float32Array.from(labels.flatMap((label, i) => [i, label])),
    inputShape: [2],
    count: labels.length,
    labels: Int32Array.from(labels),
    classes: Array.from({ length: classes }, (_, i) => `class ${i}`),
  };
}

const samplesOf = ({ inputs }: Dataset) => [...inputs].filter((_, i) => i % 2 === 0);

describe('a split', () => {
  const labels = fc.array(fc.nat(3), { minLength: 3, maxLength: 200 });

  it('has every sample once, with its label, and each class by its share in every part', () => {
    fc.assert(
      fc.property(labels, fc.nat(100), fc.nat(100), fc.integer(), (list, a, b, seed) => {
        const sizes = { validation: Math.floor((list.length * a) / 250), test: Math.floor((list.length * b) / 250) };
        const whole = labelled(list);
        const parts = splitDataset(whole, sizes, createRandom(seed));
        expect([parts.validation.count, parts.test.count]).toEqual([sizes.validation, sizes.test]);
        const all = [parts.train, parts.validation, parts.test];
        expect(all.flatMap(samplesOf).sort((x, y) => x - y)).toEqual(list.map((_, i) => i));
        for (const part of all) {
          expect([...part.inputs].filter((_, i) => i % 2 === 1)).toEqual([...part.labels]);
          countLabels(part.labels, 4).forEach((count, label) => {
            const share = (part.count * (countLabels(whole.labels, 4)[label] ?? 0)) / list.length;
            expect(Math.abs(count - share), `class ${label}: ${count}, its share is ${share}`).toBeLessThanOrEqual(2);
          });
        }
      }),
    );
  });

  it('leaves a single sample of a rare class to training', () => {
    const whole = labelled([...Array<number>(99).fill(0), 1]);
    for (let seed = 0; seed < 20; seed++) {
      const { train } = splitDataset(whole, { validation: 10, test: 10 }, createRandom(seed));
      expect(countLabels(train.labels, 4)[1]).toBe(1);
    }
  });

  it('of values to predict is random, with each value beside its inputs', () => {
    const values = Float32Array.from({ length: 20 }, (_, i) => 100 + i);
    const inputs = Float32Array.from({ length: 40 }, (_, i) => Math.floor(i / 2));
    const whole: Dataset = { task: 'regression', inputs, inputShape: [2], count: 20, values };
    const { train, test } = splitDataset(whole, { validation: 0, test: 5 }, createRandom(1));
    expect([...train.values, ...test.values].sort()).toEqual([...values]);
    for (const part of [train, test]) expect(samplesOf(part)).toEqual([...part.values].map((value) => value - 100));
    expect([...train.values]).not.toEqual([...train.values].sort());
  });

  it('that leaves nothing to train on is refused', () => {
    expect(() => splitDataset(labelled([0, 1]), { validation: 1, test: 1 }, createRandom(1))).toThrow(
      new UserError(
        'split: expected fewer than 2 samples for validation and test, got 2 (--validation-share and --test-share)',
      ),
    );
  });
});

describe('a subset', () => {
  it('keeps the kind of its inputs and may repeat a sample', () => {
    const bytes = { ...labelled([2, 0, 1]), inputs: Uint8Array.of(1, 2, 3, 4, 5, 6) };
    const chosen = subset(bytes, Int32Array.of(2, 0, 2));
    expect(chosen).toEqual({
      ...bytes,
      count: 3,
      inputs: Uint8Array.of(5, 6, 1, 2, 5, 6),
      labels: Int32Array.of(1, 2, 1),
    });
  });
});

describe('class weights', () => {
  it('are inverse to the size of the class, with mean 1 over the samples', () => {
    // By hand: N = 8, K = 3 classes with samples, N_c = 5, 2, 1, 0.
    const weights = classWeights(labelled([0, 0, 0, 0, 0, 1, 1, 2]));
    expect([...weights]).toEqual([8 / 15, 8 / 6, 8 / 3, 0].map(Math.fround));
  });
});

it('a split takes every other sample of a class of two', () => {
  const whole = labelled([0, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
  for (let seed = 0; seed < 10; seed++) {
    const { train, validation } = splitDataset(whole, { validation: 5, test: 0 }, createRandom(seed));
    expect([countLabels(train.labels, 4)[1], countLabels(validation.labels, 4)[1]]).toEqual([1, 1]);
  }
});

it.each<[string, readonly (readonly number[])[], readonly number[]]>([
  ['one sample each', [[0], [0], [0]], [0, 1, 2]],
  ['one array, in parts', [[0, 2], [1]], [0, 2, 1]],
])('the samples of arrays of %s are counted on', (_, parts, places) => {
  const [first, ...others] = parts.map((each) => ({
    ...labelled(each.map(() => 0)),
    places: Int32Array.from(each),
  }));
  expect([...(first ? joined(first, ...others).places : [])]).toEqual(places);
});

it('parts of several arrays are joined, and the samples of each array are counted on', () => {
  const part = (places: readonly number[], target: number) => ({
    ...labelled(places.map(() => target)),
    places: Int32Array.from(places),
  });
  const parts = [part([0, 3, 1], 0), part([2], 1), part([1, 0], 2), part([0], 3)] as const;
  const all = joined(...parts);
  expect(all).toMatchObject({ count: 7, labels: Int32Array.of(0, 0, 0, 1, 2, 2, 3) });
  // The first array has the samples 0 to 3, the second goes on with 4 and 5, the third with 6.
  expect([...all.places]).toEqual([0, 3, 1, 2, 5, 4, 6]);
  expect([...all.inputs]).toEqual(parts.flatMap((each) => [...each.inputs]));
});
