import { describe, expect, it } from 'vitest';

import { MadeFeeds } from '../../exporter/edge/cases/made-feeds.ts';
import { freeDimensions, makeFeeds } from '../../exporter/edge/cases/feeds.ts';
import type { Fill } from '../../exporter/edge/cases/feeds.ts';
import type { Runtime } from '../../exporter/edge/bundle.ts';
import * as tensor from '../../exporter/edge/runtime/tensor.ts';

const runtime = tensor as unknown as Runtime;
const largest = 2n ** 31n - 1n;

/** Returns all values that 50 fills of `special` put into an int64 input of `shape`. */
function specials(shape: readonly (number | string)[]): readonly bigint[] {
  return Array.from({ length: 50 }, (_, i) => {
    const { x } = makeFeeds(runtime, [{ name: 'x', dtype: 'int64', shape }], { all: i + 2 }, 'special');
    return [...(x?.data as BigInt64Array)];
  }).flat();
}

describe('made-up inputs', () => {
  it('ask no loop for two thousand million iterations', () => {
    expect(specials([])).not.toContain(largest);
    expect(specials([1])).not.toContain(largest);
  });

  it('reach beyond every bound as indices', () => {
    expect(specials(['N'])).toEqual(expect.arrayContaining([largest, -(2n ** 31n), -1n, 0n]));
  });

  it('give every free dimension a size, by name where it has one', () => {
    const inputs = [{ name: 'x', dtype: 'float32', shape: ['N', -1, 3] }] as const;
    expect(freeDimensions(inputs)).toEqual(['N', 'x/1']);
    expect(makeFeeds(runtime, inputs, { all: 5, named: { N: 2 } }, 'unit')).toMatchObject({ x: { shape: [2, 5, 3] } });
  });

  it('are numbers of the generator, by the size and the fill that are asked for, under the name that is', () => {
    const ask = (name: string, all: number, fill: Fill) =>
      makeFeeds(runtime, [{ name, dtype: 'float32', shape: ['N'] }], { all }, fill)[name];
    const state = (before: number) => (Math.imul(before, 1664525) + 1013904223) >>> 0;
    const [first, second] = [state(3), state(state(3))];
    expect(ask('x', 2, 'pixels')?.data).toEqual(
      Float32Array.of(Math.floor(first / 2 ** 24), Math.floor(second / 2 ** 24)),
    );
    expect(ask('x', 2, 'unit')?.data).toEqual(Float32Array.of(first / 2 ** 31 - 1, second / 2 ** 31 - 1));
    expect(ask('x', 3, 'pixels')?.data).not.toEqual(ask('x', 3, 'unit')?.data);
    expect(ask('other', 3, 'pixels')).toEqual(ask('x', 3, 'pixels'));
  });

  it('are made anew where those used since have taken the room', () => {
    const made = new MadeFeeds(2 * 4 * 10);
    const calls: string[] = [];
    const ask = (key: string, count = 10) =>
      made.recall(key, () => {
        calls.push(key);
        return [{ dtype: 'float32', shape: [count], data: new Float32Array(count) }];
      });
    for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) ask(key);
    expect(calls).toEqual(['a', 'b', 'c', 'b']);
    ask('large', 21);
    ask('large', 21);
    expect(calls.slice(4)).toEqual(['large', 'large']);
  });
});
