import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRandom, epochBatches } from '../../../training/data/index.ts';
import { UserError } from '../../../training/files/errors.ts';

const draw = (count: number, next: () => number) => Array.from({ length: count }, next);

describe('random numbers', () => {
  it('are the same on every machine', () => {
    const random = createRandom(1);
    expect([random.uniform(), random.normal(), ...random.permutation(8)]).toMatchInlineSnapshot(`
      [
        0.3081664853860775,
        0.47041305568835456,
        2,
        4,
        7,
        0,
        3,
        5,
        1,
        6,
      ]
    `);
    expect(createRandom(1).fork('weights').normal()).toMatchInlineSnapshot(`-2.248330457916731`);
  });

  it('differ with the seed and the name, and not with what was drawn before', () => {
    const [a, b] = [createRandom(1), createRandom(1)];
    b.uniform();
    expect(a.fork('x').uniform()).toBe(b.fork('x').uniform());
    const values = [1, 2].flatMap((seed) => ['x', 'y'].map((name) => createRandom(seed).fork(name).uniform()));
    const nested = [createRandom(1).fork('x').fork('y').uniform(), createRandom(1).fork('y').fork('x').uniform()];
    expect(new Set([...values, ...nested]).size).toBe(6);
  });

  it('permute: every number once', () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat(200), (seed, n) => {
        const order = createRandom(seed).permutation(n);
        expect(order.toSorted()).toEqual(Int32Array.from({ length: n }, (_, i) => i));
      }),
    );
  });

  it('permute with equal chances', () => {
    const random = createRandom(3);
    const counts = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const order = random.permutation(3).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    // χ² with 5 degrees of freedom exceeds 20.5 for one seed in a thousand.
    expect([...counts.values()].reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0)).toBeLessThan(20.5);
  });

  it('follow the normal distribution', () => {
    const values = draw(100_000, createRandom(1).normal).sort((a, b) => a - b);
    const moment = (k: number) => values.reduce((sum, value) => sum + value ** k, 0) / values.length;
    // The tolerance is four standard errors of each moment.
    expect(Math.abs(moment(1))).toBeLessThan(4 * Math.sqrt(1 / values.length));
    expect(Math.abs(moment(2) - 1)).toBeLessThan(4 * Math.sqrt(2 / values.length));
    expect(Math.abs(moment(4) - 3)).toBeLessThan(4 * Math.sqrt(96 / values.length));
    // This compares five quantiles of the distribution function, as Kolmogorov and Smirnov's test does.
    for (const [z, probability] of [
      [-2, 0.02275],
      [-1, 0.15866],
      [0, 0.5],
      [1, 0.84134],
      [2, 0.97725],
    ] as const) {
      expect(values.filter((value) => value <= z).length / values.length).toBeCloseTo(probability, 2);
    }
  });
});

describe("an epoch's mini-batches", () => {
  it('may hold a single sample each', () => {
    expect([...epochBatches(createRandom(1), 0, 3, 1)].sort()).toEqual([0, 1, 2]);
  });

  it('are whole, and visit every sample at most once', () => {
    const indices = epochBatches(createRandom(1), 0, 103, 10);
    expect(indices).toHaveLength(100);
    expect(new Set(indices).size).toBe(100);
    expect(indices.every((index) => index >= 0 && index < 103)).toBe(true);
  });

  it('depend on the seed and the epoch only', () => {
    const [one, other] = [createRandom(1), createRandom(2)];
    const first = epochBatches(one, 0, 50, 10);
    expect(epochBatches(one, 0, 50, 10)).toEqual(first);
    expect(epochBatches(one, 1, 50, 10)).not.toEqual(first);
    expect(epochBatches(other, 0, 50, 10)).not.toEqual(first);
  });

  it.each([0, 51])('of %i samples are refused for a set of 50', (batchSize) => {
    expect(() => epochBatches(createRandom(1), 0, 50, batchSize)).toThrow(
      new UserError(`batch size: expected 1 to 50 (the training samples), got ${batchSize}`),
    );
  });
});
