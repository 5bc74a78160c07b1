import { describe, expect, test } from 'vitest';
import { graphBuilder } from '../../../training/graph/index.ts';
import { averageShares, statisticsShares, unbiasedVariance } from '../../../training/optimizer/index.ts';
import { evaluate } from '../../reference/evaluate.ts';
import { scalar } from '../../reference/ndarray.ts';

describe('the shares of a running average', () => {
  test('are the momentum of the old value and the rest of the new one, at every step', () => {
    for (const step of [1, 2, 1000]) {
      const { statistics_kept, statistics_fresh } = statisticsShares(0.9, step);
      expect(statistics_kept).toBe(0.9);
      expect(statistics_fresh).toBeCloseTo(0.1, 15);
    }
  });

  test('give the mean of all mini-batches with momentum none, whatever the start', () => {
    const batches = [3, 5, 10, -2];
    const averaged = batches.reduce((running, batch, i) => {
      const { statistics_kept, statistics_fresh } = statisticsShares('none', i + 1);
      return statistics_kept * running + statistics_fresh * batch;
    }, 999);
    expect(averaged).toBeCloseTo(4, 12);
  });

  test('of the weight average grow from 2/11 to the decay', () => {
    expect(averageShares(0.99, 1).average_kept).toBeCloseTo(2 / 11, 15);
    expect(averageShares(0.99, 1e6)).toEqual({ average_kept: 0.99, average_fresh: 1 - 0.99 });
  });
});

describe('the unbiased variance', () => {
  const emit = (shape: readonly number[]) => {
    const g = graphBuilder();
    const variance = g.input('variance', { dtype: 'float32', shape: [1] });
    return g.build('unbiased', {
      result: unbiasedVariance(g, variance, g.input('z', { dtype: 'float32', shape })),
    });
  };

  test('divides by one less than the values of a channel', () => {
    const feeds = { variance: { shape: [1], data: Float64Array.of(2) }, z: scalar(0) };
    expect(evaluate(emit([4, 1]), feeds).result?.data[0]).toBeCloseTo(2 * (4 / 3), 6);
    expect(evaluate(emit([2, 1, 2, 2]), feeds).result?.data[0]).toBeCloseTo(2 * (8 / 7), 6);
  });

  test('is refused for a single value', () => {
    expect(() => emit([1, 1])).toThrow(
      'expected at least 2 values for each channel to estimate a variance from, got 1',
    );
  });
});
