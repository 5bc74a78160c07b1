import { describe, expect, it } from 'vitest';

import { freeDimensions, makeFeeds } from '../../exporter/edge/cases/feeds.ts';
import type { Runtime } from '../../exporter/edge/bundle.ts';
import * as tensor from '../../exporter/edge/runtime/tensor.ts';

const runtime = tensor as unknown as Runtime;
const largest = 2n ** 31n - 1n;

/** Everything that 50 fills of `special` put into an int64 input of `shape`. */
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
});
