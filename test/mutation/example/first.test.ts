/** Tests the example room, among others with tests that fail by themselves, only once, or not at all. */
import { expect, it } from 'vitest';
import { isBelow, limit, sumTo, twice } from './room.ts';

let calls = 0;

it('notices a bound', () => {
  expect(isBelow(1, 1)).toBe(false);
});

it('notices a sum without end', () => {
  expect(sumTo(3)).toBe(6);
});

it('notices no product', () => {
  expect(twice(0)).toBe(0);
});

it('holds only once', () => {
  calls += 1;
  expect(calls + twice(0)).toBe(1);
});

it('is left out when a product is another', ({ skip }) => {
  if (twice(1) !== 2) skip();
  expect(twice(0)).toBe(0);
});

it('fails by itself', () => {
  expect(limit + twice(1)).toBe(0);
});
