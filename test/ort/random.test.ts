/** The statistics of dropout's random numbers are within four standard deviations of those of independent numbers. */
import { describe, expect, test } from 'vitest';
import { graphBuilder } from '../../training/graph/index.ts';
import { uniform } from '../../training/network/random.ts';
import { element, range, scalar } from '../reference/ndarray.ts';
import { openStatic } from '../unit/compile/run-static.ts';
import { runGraph } from './run-graph.ts';

const count = 2 ** 16;

async function draw({ seed = 1, step = 0, layer = 0 }, size = count): Promise<Float64Array> {
  const g = graphBuilder();
  const key = { seed, step: g.input('step', { dtype: 'int64', shape: [] }) };
  const graph = g.build('random', { u: uniform(g, key, layer, [size]) });
  return (await runGraph(graph, { step: scalar(step) })).u?.data ?? new Float64Array();
}

const mean = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function correlation(a: Float64Array, b: Float64Array): number {
  const [muA, muB] = [mean(a), mean(b)];
  const covariance = mean(a.map((value, i) => (value - muA) * (element(b, i) - muB)));
  return (
    covariance / Math.sqrt(mean(a.map((value) => (value - muA) ** 2)) * mean(b.map((value) => (value - muB) ** 2)))
  );
}

const keys = [{}, { seed: 2 }, { seed: 123_456_789 }, { step: 1 }, { step: 100_000 }, { layer: 1 }, { layer: 20 }];

describe('the numbers of one step', () => {
  test.each(keys)('are uniform: %j', async (key) => {
    const numbers = await draw(key);
    const mu = mean(numbers);
    expect(Math.abs(mu - 1 / 2)).toBeLessThan(4 * Math.sqrt(1 / 12 / count));
    // The variance of (u − ½)² is 1/80 − 1/144.
    const variance = mean(numbers.map((u) => (u - 1 / 2) ** 2));
    expect(Math.abs(variance - 1 / 12)).toBeLessThan(4 * Math.sqrt((1 / 80 - 1 / 144) / count));
    expect(Math.min(...numbers.subarray(0, 1000))).toBeGreaterThanOrEqual(0);
    expect(numbers.every((u) => u < 1)).toBe(true);
  });

  test.each(keys)('fill 64 bins evenly: %j', async (key) => {
    const bins = new Float64Array(64);
    for (const u of await draw(key)) bins[Math.floor(u * 64)] = element(bins, Math.floor(u * 64)) + 1;
    const expected = count / 64;
    const chiSquared = bins.reduce((sum, observed) => sum + (observed - expected) ** 2 / expected, 0);
    // χ² with 63 degrees of freedom has mean 63 and variance 126.
    expect(Math.abs(chiSquared - 63)).toBeLessThan(4 * Math.sqrt(126));
  });

  test.each([1, 2, 3, 16, 64, 256, 1024])(
    'are not correlated with their neighbours at distance %i',
    async (distance) => {
      for (const key of keys) {
        const numbers = await draw(key);
        const r = correlation(numbers.subarray(distance), numbers.subarray(0, count - distance));
        expect(Math.abs(r)).toBeLessThan(4 / Math.sqrt(count));
      }
    },
  );
});

describe('the numbers of two keys are not correlated', () => {
  const pairs = [
    ['successive steps', { step: 7 }, { step: 8 }],
    ['far steps', { step: 7 }, { step: 7 + 2 ** 12 }],
    ['successive layers', { layer: 3 }, { layer: 4 }],
    ['successive seeds', { seed: 1 }, { seed: 2 }],
    ['layer and seed exchanged', { seed: 1, layer: 2 }, { seed: 2, layer: 1 }],
    ['layer and step exchanged', { step: 1, layer: 2 }, { step: 2, layer: 1 }],
  ] as const;

  test.each(pairs)('%s', async (_about, a, b) => {
    expect(Math.abs(correlation(await draw(a), await draw(b)))).toBeLessThan(4 / Math.sqrt(count));
  });
});

describe('the numbers of one key', () => {
  test('are the same whenever they are drawn', async () => {
    expect(await draw({ step: 5, layer: 3 })).toEqual(await draw({ step: 5, layer: 3 }));
  });

  test('one element over many steps is uniform too', async () => {
    const steps = range(256);
    const numbers = Float64Array.from(
      await Promise.all(steps.map(async (step) => element(await draw({ step }, 8), 3))),
    );
    expect(Math.abs(mean(numbers) - 1 / 2)).toBeLessThan(4 * Math.sqrt(1 / 12 / steps.length));
  });
});

test.each(keys)(
  'a compiled graph draws the same: %j',
  async ({ seed = 1, step = 0, layer = 0 }: (typeof keys)[number] & { seed?: number }) => {
    const g = graphBuilder();
    const u = uniform(g, { seed, step: g.input('step', { dtype: 'int64', shape: [] }) }, layer, [999]);
    const program = openStatic(g.build('random', { u }));
    program.write({ step: scalar(step) });
    program.run();
    expect(program.read()['u']?.data).toEqual(await draw({ seed, step, layer }, 999));
  },
);
