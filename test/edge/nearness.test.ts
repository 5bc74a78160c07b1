/** Answers that are rounded otherwise than stock's are near them, and give a sample the same class. */
import { expect, it } from 'vitest';
import { nearDifference } from '../../exporter/edge/cases/nearness.ts';
import type { Tensor } from '../../exporter/edge/runtime/index.ts';

const tensor = (shape: readonly number[], ...data: readonly number[]): Tensor => ({
  dtype: 'float32',
  shape,
  data: Float32Array.from(data),
});

it.each<[what: string, expected: Tensor, got: Tensor, difference: string | undefined]>([
  ['a last bit', tensor([1, 2], 1, 2), tensor([1, 2], 1 + 2 ** -23, 2), undefined],
  ['a part of the largest number', tensor([1, 2], 0, 2), tensor([1, 2], 1e-5, 2), undefined],
  ['more than that', tensor([1, 2], 0, 2), tensor([1, 2], 1e-4, 2), 'expected 0 at 0, got 0.00009999999747378752'],
  ['their shapes', tensor([1, 2], 1, 2), tensor([2], 1, 2), 'expected float32 [1, 2], got float32 [2]'],
  ['a number for NaN', tensor([1, 2], NaN, 2), tensor([1, 2], 1, 2), 'expected NaN at 0, got 1'],
  ['infinity near overflow', tensor([1], 3e38), tensor([1], Infinity), undefined],
  [
    'the class of a sample',
    tensor([2, 2], 1, 0, 1, 1.000001),
    tensor([2, 2], 1, 0, 1.000001, 1),
    'expected class 1 for sample 1 of the batch, got 0',
  ],
])('two answers are compared that differ by %s', (_, expected, got, difference) => {
  expect(nearDifference(expected, got, true)).toBe(difference);
});

it('classes are compared of more numbers than a call has arguments', () => {
  const expected = { ...tensor([1, 200_000]), data: new Float32Array(200_000) };
  expect(nearDifference(expected, expected, true)).toBeUndefined();
});
