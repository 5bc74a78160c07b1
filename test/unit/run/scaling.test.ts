/** A run reports problems with the units of its data before the first step. */
import { describe, expect, it } from 'vitest';
import type { Column, LoadedData } from '../../../training/data/index.ts';
import { denseNetwork, type Network } from '../../../training/network/index.ts';
import { notesOnScaling } from '../../../training/run/scaling.ts';

const numeric = (name: string): Column => ({ kind: 'numeric', name, fill: null });

/** Returns the notes on rows of a table with the columns `a` and `b`, where `b` is unremarkable, or of arrays. */
function notesOn(
  values: readonly number[],
  columns: readonly Column[] | null = [numeric('a'), numeric('b')],
  scaling: Network['inputNormalization'] = 'feature',
) {
  const inputs = Float32Array.from(values.flatMap((value, i) => [value, i % 7]));
  const count = values.length;
  const train = {
    task: 'regression',
    inputs,
    inputShape: [2],
    count,
    values: Float32Array.from(inputs.keys()),
  } as const;
  const data = { train: { ...train, values: train.values.subarray(0, count) }, columns } as unknown as LoadedData;
  const network = denseNetwork({ name: 'net', inputShape: [2], outputs: 1 }, [4]);
  return notesOnScaling(data, { ...network, inputNormalization: scaling }, 'y');
}

const spread = Array.from({ length: 40 }, (_, i) => i / 8);

describe('the units of inputs', () => {
  it.each([
    ['of any size are no matter', spread.map((x) => x * 1e30), []],
    ['as small as that are none', spread.map((x) => x * 1e-30), []],
    [
      'that never change are named',
      spread.map(() => 0.1),
      ['column "a" never changes in training: what it is later changes no answer'],
    ],
    [
      'that change by their own rounding do not change',
      spread.map((_, i) => (i === 0 ? 16_777_218 : 16_777_216)),
      ['column "a" never changes in training: what it is later changes no answer'],
    ],
    [
      'that float32 holds in coarse steps are named: times in milliseconds within an hour',
      spread.map((_, i) => 1.7e12 + i * 90_000),
      [
        'column "a": float32 holds numbers around 1700000000000 in steps of 131100 only, and their deviation is 1036000: subtract what they have in common',
      ],
    ],
    ['of which one alone is another are no matter', spread.map((_, i) => (i === 3 ? 1 : 0)), []],
    [
      'with one number far away name it',
      [-9.9e29, ...spread],
      ['column "a": -9.9e+29 is so far from all other numbers that these count as equal; is it a missing value?'],
    ],
    [
      'with gaps and one number far away name it',
      [-9.9e29, NaN, NaN, ...spread],
      ['column "a": -9.9e+29 is so far from all other numbers that these count as equal; is it a missing value?'],
    ],
  ])('%s', (_, values, expected) => {
    expect(notesOn(values)).toEqual(expected);
  });

  it('of a channel may be 0 but for few pixels, whatever the other channels hold', () => {
    const [count, area] = [40, 16];
    // The first channel has eight bright pixels among 640: each is 9 deviations from the mean.
    const inputs = Float32Array.from({ length: count * 2 * area }, (_, i) => {
      const [sample, pixel] = [Math.floor(i / (2 * area)), i % (2 * area)];
      return pixel >= area ? pixel % 5 : Number(sample % 5 === 0 && pixel === 0) * (1 + sample / 100);
    });
    const classes = ['no', 'yes'];
    const train = {
      task: 'classification',
      inputs,
      inputShape: [2, 4, 4],
      count,
      labels: new Int32Array(count),
      classes,
    };
    const network = {
      ...denseNetwork({ name: 'net', inputShape: [32], outputs: 2 }, [4]),
      inputNormalization: 'channel',
    };
    const data = { train, columns: null } as unknown as LoadedData;
    expect(notesOnScaling(data, network as Network, undefined)).toEqual([]);
  });

  it('with one number far away are scaled by their quartiles all the same', () => {
    expect(notesOn([-9.9e29, ...spread], undefined, 'robust')).toEqual([]);
  });

  it('are of no use where all samples are the same, gaps included', () => {
    const inputs = Float32Array.of(1, NaN, 1, NaN, 1, NaN);
    const train = { task: 'regression', inputs, inputShape: [2], count: 3, values: Float32Array.of(1, 2, 3) };
    const data = { train, columns: [numeric('a'), numeric('b')] } as unknown as LoadedData;
    const network = denseNetwork({ name: 'net', inputShape: [2], outputs: 1 }, [4]);
    expect(() => notesOnScaling(data, network, 'y')).toThrow(
      'data: expected samples that differ, got the same inputs in all 3 to train on',
    );
  });

  it('are counted where they have no names', () => {
    expect(
      notesOn(
        spread.map(() => 3),
        null,
      ),
    ).toEqual(['feature 0 never changes in training: what it is later changes no answer']);
  });

  it.each([
    ['too large', [...spread, -3.4e38], 'column "a": expected numbers of up to 8.507e+37, got -3.4e+38'],
    [
      'too small',
      spread.map((x) => x * 1e-38),
      'column "a": expected numbers that vary by 7.523e-37 or more, got a deviation of 1.443e-38',
    ],
  ])('that are %s are refused with the column and what helps', (_, values, expected) => {
    expect(() => notesOn(values)).toThrow(`data: ${expected}; give it another unit, or leave it out with --ignore`);
  });

  it('are refused for all columns at once', () => {
    const inputs = Float32Array.of(1e38, 1e38, 2e38, 3e38);
    const train = {
      task: 'classification',
      inputs,
      inputShape: [2],
      count: 2,
      labels: Int32Array.of(0, 1),
      classes: ['p', 'q'],
    };
    const data = { train, columns: [numeric('a'), numeric('b')] } as unknown as LoadedData;
    const network = denseNetwork({ name: 'net', inputShape: [2], outputs: 2 }, [4]);
    expect(() => notesOnScaling(data, network, undefined)).toThrow(/column "a": .*; column "b": /);
  });
});

it('numbers to predict that cannot be scaled are refused, too', () => {
  const values = Float32Array.of(1e35, 2e35, 3e35);
  const train = { task: 'regression', inputs: Float32Array.of(1, 2, 3), inputShape: [1], count: 3, values };
  const data = { train, columns: null } as unknown as LoadedData;
  const network = denseNetwork({ name: 'net', inputShape: [1], outputs: 1 }, [4]);
  expect(() => notesOnScaling(data, network, 'price')).toThrow(
    'data: label "price": expected numbers of up to 1.298e+33, got 3e+35; give it another unit',
  );
});
