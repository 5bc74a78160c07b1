/** Medians, ranges and edges of bins agree with NumPy's `quantile` (2.4, method "linear"). */
import { describe, expect, test } from 'vitest';
import { binEdges, robustStatistics, type Samples } from '../../../training/data/index.ts';

/** Puts columns side by side. */
function table(...columns: readonly (readonly number[])[]): Samples {
  const count = columns[0]?.length ?? 0;
  const inputs = Float32Array.from({ length: count * columns.length }, (_, i) => {
    return columns[i % columns.length]?.[Math.floor(i / columns.length)] ?? NaN;
  });
  return { inputs, inputShape: [columns.length], count };
}

describe('the median and the range of a column', () => {
  test.each<[string, readonly number[], number, number]>([
    ['of different numbers are those of NumPy', [3, 1, 4, 1, 5, 9, 2, 6], 3.5, 3.5],
    ['of one number mostly fall back on half of the whole range', [0, 0, 0, 0, 0, 0, 0, 0, 7, 3], 0, 3.5],
    ['of one number mostly, between lower and higher ones', [3, 3, 3, 3, 3, 3, 3, 3, 9, -5], 3, 7],
    ['of one number alone are it and nothing', [5, 5, 5, 5], 5, 0],
    ['of a number with the rounding of float32 are it and nothing', [16777216, 16777218, 16777217], 16777216, 0],
    ['leave out what is missing', [NaN, 3, 1, 4, 1, NaN, 5, 9, 2, 6], 3.5, 3.5],
    ['of nothing at all are 0', [NaN, NaN], 0, 0],
  ])('%s', (_about, values, median, range) => {
    const { length } = values;
    const other = Array.from({ length }, (_, i) => i);
    const got = robustStatistics(table(other, values));
    expect([got.median[1], got.range[1]]).toEqual([median, range]);
  });
});

describe('the edges of bins', () => {
  const all = () => true;

  test('are even quantiles of the rows and of the distinct values, as NumPy has them', () => {
    const [edges] = binEdges(table([0, 0, 10, 0, 0, 2, 0, 100, 1, 0]), 8, all);
    expect(edges).toEqual([0, 1, 1.75, 2, 10, 100]);
  });

  test.each<[string, readonly number[], readonly number[]]>([
    ['none for a number that never changes', [5, 5, 5], []],
    ['none for a number that changes by its rounding', [16777216, 16777218, 16777216, 16777216], []],
    ['the values and the middle of two values', [1, 0, 0, 1, NaN], [0, 0.5, 1]],
    ['none for a column without values', [NaN, NaN], []],
    ['none apart that float32 could not divide by', [0, 1e-44, 2e-44, 1], [0, 1]],
  ])('are %s', (_about, values, expected) => {
    expect(binEdges(table(values), 4, all)).toEqual([expected]);
  });

  test('are none for a category, and fewer where numbers are many', () => {
    const columns = Array.from({ length: 60 }, (_, column) => Array.from({ length: 500 }, (_, row) => row * column));
    const edges = binEdges(table(...columns), 32, (feature) => feature !== 3);
    expect(edges[3]).toEqual([]);
    // The limit of 384 bins leaves ⌊384 / 59⌋ = 6 for each column. Where every row has a different value, three of their
    // edges repeat the other three.
    expect(edges[5]).toEqual([0, (499 * 5) / 3, (499 * 5 * 2) / 3, 499 * 5].map(Math.fround));
  });
});

test('bins of five numbers are a fifth of all, rounded down', () => {
  const columns = Array.from({ length: 5 }, (_, column) =>
    Array.from({ length: 500 }, (__, row) => row * (column + 1)),
  );
  const edges = binEdges(table(...columns), 100, () => true);
  // ⌊384 / 5⌋ = 76: 38 quantiles of the rows, and the same of the distinct values.
  expect(edges.map(({ length }) => length)).toEqual([39, 39, 39, 39, 39]);
});
