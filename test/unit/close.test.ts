/** The comparison of numbers, on which most numeric tests rest, tells apart what it should. */
import { describe, expect, it } from 'vitest';
import { expectAllClose, expectClose, type Tolerance } from '../reference/close.ts';

describe('numbers are close', () => {
  it.each<[string, number[], number[], Tolerance]>([
    ['that are equal', [0, 1, -2], [0, 1, -2], {}],
    ['with a zero of another sign', [-0], [0], {}],
    ['within the absolute tolerance', [0.0009], [0], { atol: 1e-3 }],
    ['within the tolerance relative to themselves', [100.09], [100], { rtol: 1e-3 }],
    ['within the tolerance relative to the largest', [100, 0.09], [100, 0], { ofLargest: 1e-3 }],
    ['within the sum of the tolerances', [10.25], [10], { rtol: 0.01, atol: 0.1, ofLargest: 0.01 }],
    ['that are the same infinity, or no numbers', [Infinity, -Infinity, NaN], [Infinity, -Infinity, NaN], {}],
  ])('%s', (_, actual, expected, tolerance) => {
    expectAllClose('y', actual, expected, tolerance);
  });
});

describe('numbers are not close', () => {
  const wide = { rtol: 1, atol: 1, ofLargest: 1 };
  it.each<[string, number[], number[], Tolerance, string]>([
    [
      'beside a large one, without what it allows',
      [100, 0.01],
      [100, 0.001],
      { rtol: 0.1 },
      'element [1]: expected 0.001, got 0.01',
    ],
    ['where the worst comes before a NaN', [3, NaN], [1, 1], wide, 'element [1]: expected 1, got NaN'],
    ['where a NaN comes first', [NaN, 1], [1, 1], wide, 'element [0]: expected 1, got NaN'],
    ['where NaN is expected', [1], [NaN], wide, 'element [0]: expected NaN, got 1'],
    ['where one is infinite', [Infinity], [1], wide, 'element [0]: expected 1, got Infinity'],
    ['where infinity is expected', [1], [Infinity], wide, 'element [0]: expected Infinity, got 1'],
    ['of the other infinity', [-Infinity], [Infinity], wide, 'element [0]: expected Infinity, got -Infinity'],
    ['that are too few', [1], [1, 1], wide, 'expected 2 elements, got 1'],
  ])('%s', (_, actual, expected, tolerance, message) => {
    expect(() => {
      expectAllClose('y', actual, expected, tolerance);
    }).toThrow(`y: ${message}`);
  });

  it('that are not there', () => {
    expect(() => {
      expectAllClose('y', undefined, [], {});
    }).toThrow('y: expected 0 elements, got none');
  });

  it('in arrays of another shape, and the worst is named by its index', () => {
    const expected = { shape: [2, 2], data: Float64Array.of(1, 2, 3, 4) };
    expect(() => {
      expectClose('y', { ...expected, shape: [4] }, expected, {});
    }).toThrow('y: expected shape [2, 2], got [4]');
    expect(() => {
      expectClose('y', { shape: [2, 2], data: Float64Array.of(1, 2.5, 5, 4) }, expected, { atol: 0.25 });
    }).toThrow('y: element [1, 0]: expected 3, got 5, error 2 above 0.25');
  });
});
