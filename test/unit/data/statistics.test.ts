import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  divisorsOf,
  inputRanges,
  inputStatistics,
  loadMnist,
  targetStatistics,
  type MnistSplits,
  type Samples,
  type Dataset,
} from '../../../training/data/index.ts';
import { elementCount } from '../../../training/arrays/index.ts';
import { expectAllClose } from '../../reference/close.ts';

/** Computes the statistics by their definition, in two passes over float64: μ = 1/n Σ x, then σ = √(1/n Σ (x − μ)²). */
function twoPasses({ inputs, inputShape, count }: Samples, per: 'feature' | 'channel') {
  const size = elementCount(inputShape);
  const groups = per === 'feature' ? size : (inputShape[0] ?? 1);
  const n = (count * size) / groups;
  const groupOf = (i: number) => Math.floor(((i % size) * groups) / size);
  const mean = new Float64Array(groups);
  const variance = new Float64Array(groups);
  const add = (sums: Float64Array, i: number, term: number) => (sums[groupOf(i)] = (sums[groupOf(i)] ?? 0) + term / n);
  inputs.forEach((x, i) => add(mean, i, x));
  inputs.forEach((x, i) => add(variance, i, (x - (mean[groupOf(i)] ?? 0)) ** 2));
  return { mean, deviation: variance.map(Math.sqrt) };
}

/** The tolerance of float64 sums over some hundred thousand terms, which may cancel to a mean near zero. */
const tolerance = { rtol: 5e-10, atol: 5e-10 };

function expectAgreement(samples: Samples) {
  for (const per of ['feature', 'channel'] as const) {
    const actual = inputStatistics(samples, per);
    const expected = twoPasses(samples, per);
    expectAllClose(`mean per ${per}`, actual.mean, expected.mean, tolerance);
    expectAllClose(`deviation per ${per}`, actual.deviation, expected.deviation, tolerance);
  }
}

describe('the statistics of a training set', () => {
  let mnist: MnistSplits;
  beforeAll(async () => {
    mnist = await loadMnist({ seed: 1 });
  });

  it('equal those of two passes on the real MNIST, per pixel and per channel', () => {
    expectAgreement(mnist.test);
  });

  it("have the well-known mean 0.1307 and deviation 0.3081 on MNIST's pixels", () => {
    const { mean, deviation } = inputStatistics(mnist.train, 'channel');
    expect((mean[0] ?? 0) / 255).toBeCloseTo(0.1307, 3);
    expect((deviation[0] ?? 0) / 255).toBeCloseTo(0.3081, 3);
  });

  it('equal those of two passes for any shape', () => {
    const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(
        shapes,
        fc.integer({ min: 1, max: 5 }),
        fc.infiniteStream(fc.integer({ min: -1000, max: 1000 })),
        (inputShape, count, values) => {
          const inputs = Float32Array.from(values.take(count * elementCount(inputShape)), (value) => value / 16);
          expectAgreement({ inputs, inputShape, count });
        },
      ),
    );
  });

  it('do not cancel when the mean is far larger than the deviation', () => {
    const inputs = Float32Array.from({ length: 1000 }, (_, i) => 1e6 + (i % 2));
    const { deviation } = inputStatistics({ inputs, inputShape: [1], count: 1000 }, 'feature');
    expect(deviation[0]).toBeCloseTo(0.5, 9);
  });

  it('use the deviation of the population, divided by n', () => {
    const samples = { inputs: Float32Array.of(1, 3), inputShape: [1], count: 2 };
    expect(inputStatistics(samples, 'feature')).toEqual({ mean: Float64Array.of(2), deviation: Float64Array.of(1) });
  });
});

describe('the lowest and highest value', () => {
  const samples: Samples = { inputs: Float32Array.of(3, -1, 7, 0, NaN, 2, -5, 4), inputShape: [2, 2], count: 2 };
  it.each<['feature' | 'channel', number[], number[]]>([
    ['feature', [3, -1, -5, 0], [3, 2, 7, 4]],
    ['channel', [-1, -5], [3, 7]],
  ])('per %s, without gaps', (per, lowest, highest) => {
    expect(inputRanges(samples, per)).toEqual({
      lowest: Float64Array.from(lowest),
      highest: Float64Array.from(highest),
    });
  });
});

describe('statistics', () => {
  it('skip gaps, and are 0 where there is nothing else', () => {
    const inputs = Float32Array.of(1, NaN, NaN, NaN, 3, NaN);
    const { mean, deviation } = inputStatistics({ inputs, inputShape: [2], count: 3 }, 'feature');
    expect([[...mean], [...deviation]]).toEqual([
      [2, 0],
      [1, 0],
    ]);
  });

  it('take what changes only within the rounding of its numbers for what never changes', () => {
    const next = 2 ** 24 + 2;
    const spread = (...inputs: number[]) => {
      const samples = { inputs: Float32Array.from(inputs), inputShape: [1], count: inputs.length };
      return inputStatistics(samples, 'feature').deviation[0];
    };
    // σ = √(2³·(1/8)·(7/8)) of steps of 2 is 0.66, below 2²⁴ · 2⁻²⁴ = 1; with equal shares it is 1, and above with 4.
    expect(spread(...Array<number>(7).fill(2 ** 24), next)).toBe(0);
    expect(spread(2 ** 24, 2 ** 24 + 4)).toBe(2);
    expect(spread(-(2 ** 24), ...Array<number>(7).fill(-next))).toBe(0);
    expect(spread(0, 0)).toBe(0);
  });

  it('divide what never changes by the largest float32', () => {
    expect([...divisorsOf(Float64Array.of(2, 0))]).toEqual([2, 3.4028234663852886e38]);
    expect(Math.fround(3.4028234663852886e38)).toBe(3.4028234663852886e38);
  });

  it('are taken of numbers to predict, and not of classes', () => {
    const samples = { inputs: new Float32Array(2), inputShape: [1], count: 2 };
    const { mean, deviation } = targetStatistics({ ...samples, task: 'regression', values: Float32Array.of(1, 5) });
    expect([[...mean], [...deviation]]).toEqual([[3], [2]]);
    const labels = { task: 'classification', labels: Int32Array.of(0, 1), classes: ['a', 'b'] } as const;
    expect(targetStatistics({ ...samples, ...labels } as Dataset)).toBeUndefined();
  });
});
