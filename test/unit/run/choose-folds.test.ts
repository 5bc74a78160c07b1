/** The length of training is decided by the validation part, folds, or a clock. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createRandom, type Dataset, foldsOf, type LoadedData } from '../../../training/data/index.ts';
import { UserError } from '../../../training/files/index.ts';
import { multiclass } from '../../../training/objective/index.ts';
import { chooseFolds, type FoldFlags } from '../../../training/run/choose-folds.ts';
import { startClock } from '../../../training/trainer/clock.ts';

/** Every fifth sample belongs to the rare class. */
const dataset = (count: number): Dataset => ({
  task: 'classification',
  inputs: new Float32Array(count),
  inputShape: [1],
  count,
  labels: Int32Array.from({ length: count }, (_, i) => (i % 5 === 0 ? 1 : 0)),
  classes: ['often', 'rare'],
});

const dataOf = (train: number, validation: number, isTable = true): LoadedData => ({
  train: dataset(train),
  validation: dataset(validation),
  test: dataset(10),
  columns: isTable ? [{ kind: 'numeric', name: 'x', fill: null }] : null,
});

const config: FoldFlags['config'] = {
  epochs: 10,
  batchSize: 32,
  optimizer: 'adam',
  learningRate: 0.002,
  schedule: 'cosine',
  bnMomentum: 0.9,
  seed: 1,
  objective: multiclass(),
};
const nothing: FoldFlags = { folds: undefined, refit: undefined, from: undefined, config };

describe('how many folds are trained', () => {
  it.each<[string, Partial<FoldFlags>, LoadedData, number]>([
    ['none where the validation part has 30 rows', {}, dataOf(240, 30), 0],
    ['five where it has fewer', {}, dataOf(232, 29), 5],
    ['none of data that are no table', {}, dataOf(232, 29, false), 0],
    ['none of an example of fewer than 20 rows in all parts', {}, dataOf(6, 3), 0],
    ['five of 20 rows', {}, dataOf(7, 3), 5],
    ['none without a validation part', {}, dataOf(100, 0), 0],
    ['none where it is said so', { folds: 1 }, dataOf(100, 10), 0],
    ['none where the last epoch is kept', { config: { ...config, keep: 'last' } }, dataOf(100, 10), 0],
    ['none where patience ends the run', { config: { ...config, earlyStopping: 5 } }, dataOf(100, 10), 0],
    ['as many as are asked for', { folds: 7 }, dataOf(1000, 100), 7],
    ['as many as are asked for, without a validation part', { folds: 3 }, dataOf(1000, 0), 3],
    ['the validation part alone, to learn from it later', { refit: true }, dataOf(100, 10), 1],
  ])('%s', (_, flags, data, folds) => {
    const notes: string[] = [];
    expect(chooseFolds({ ...nothing, ...flags }, data, (line) => notes.push(line))).toBe(folds);
    expect(notes).toHaveLength(Object.keys(flags).length === 0 && folds > 0 ? 1 : 0);
  });

  it('is said where nobody asked for them', () => {
    const note = vi.fn();
    chooseFolds(nothing, dataOf(108, 12), note);
    expect(note).toHaveBeenCalledWith(
      '12 validation rows are too few to choose an epoch by: 5 folds choose it, and the network learns from all 120; --folds 1 goes by the validation part',
    );
  });

  it.each<[Partial<FoldFlags>, LoadedData, string]>([
    [{ folds: 5, refit: true }, dataOf(100, 10), '--refit: expected no --folds beside it, which refit, got 5'],
    [{ refit: true }, dataOf(100, 0), '--refit: expected validation samples to go by (--validation-share), got none'],
  ])('is refused for %j', (flags, data, message) => {
    expect(() => chooseFolds({ ...nothing, ...flags }, data, vi.fn())).toThrow(new UserError(message));
  });
});

describe('folds', () => {
  it('hold every sample once, and each class in its share', () => {
    const all = dataset(103);
    const folds = foldsOf(all, 4, createRandom(1));
    expect(folds.map(({ length }) => length)).toEqual([25, 26, 26, 26]);
    expect(folds.flatMap((fold) => [...fold]).sort((a, b) => a - b)).toEqual(Array.from({ length: 103 }, (_, i) => i));
    for (const fold of folds) {
      const rare = fold.filter((sample) => sample % 5 === 0).length;
      expect(Math.abs(rare - fold.length / 5)).toBeLessThanOrEqual(1);
    }
  });
});

describe('the clock of a run', () => {
  beforeEach(() => vi.useFakeTimers({ toFake: ['performance'] }));
  afterEach(() => vi.useRealTimers());

  it('is none without a limit', () => {
    expect(startClock(undefined)).toBeUndefined();
  });

  it('counts from what was spent before, and foresees steps by those that have been taken', () => {
    const clock = startClock(10, 4);
    // Before the first steps, the time of a step is unknown.
    expect(clock?.forecast(100)(150)).toBeCloseTo(0.4);
    vi.advanceTimersByTime(2000);
    expect(clock?.spent()).toBeCloseTo(6);
    expect(clock?.share()).toBeCloseTo(0.6);
    // 20 steps took 2 seconds: ten more take a tenth of the limit.
    const foreseen = clock?.forecast(120);
    expect(foreseen?.(120)).toBeCloseTo(0.6);
    expect(foreseen?.(130)).toBeCloseTo(0.7);
    vi.advanceTimersByTime(4000);
    expect(clock?.share()).toBeCloseTo(1);
  });
});
