/** Drift of layers, columns and classes is judged by formulas that agree with other sources, and by made-up samples. */
import { describe, expect, it } from 'vitest';
import { assess, type Reference } from '../../../../worker/drift/assess.ts';
import { allowed, driftOfChannels, effectiveSamples } from '../../../../worker/drift/channels.ts';
import { distanceOf, stabilityOf } from '../../../../worker/drift/stability.ts';
import { average, type Drawing, inputsOf, layerOf, sumsOf, windowOf } from './windows.ts';

const variance = (values: readonly number[], less: number): number => {
  const mean = average(values);
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - less);
};

describe('a channel', () => {
  const inputs = inputsOf({ samples: 40, channels: 2, places: 9, mean: 3, deviation: 5, common: 0.5 });
  const comparison = { samples: 40, trained: Infinity, z: 4 };

  it('is compared by its mean and variance over all samples and places', () => {
    const found = driftOfChannels(layerOf(2), sumsOf(inputs), comparison);
    found.forEach(({ meanShift, logVarianceRatio }, c) => {
      const all = inputs.flatMap((sample) => sample[c] ?? []);
      expect(meanShift.value).toBeCloseTo((average(all) - 2) / Math.sqrt(4 + 1e-5), 10);
      expect(logVarianceRatio.value).toBeCloseTo(Math.log((variance(all, 0) + 1e-5) / (4 + 1e-5)), 10);
    });
    expect(found).toHaveLength(2);
  });

  it('may stray as far as the means of samples do, and not of places', () => {
    const [first] = driftOfChannels(layerOf(2), sumsOf(inputs), comparison);
    const means = inputs.map((sample) => average(sample[0] ?? []));
    const error = Math.sqrt(variance(means, 1) * (1 / 40 + 1 / effectiveSamples(0.9)));
    expect(first?.meanShift.threshold).toBeCloseTo(allowed.meanShift + (4 * error) / Math.sqrt(4 + 1e-5), 10);
  });

  it('that rests has a score, whatever ε is', () => {
    const layer = { ...layerOf(1), epsilon: 0 };
    const rests = assess(windowOf(inputsOf({ samples: 200, deviation: 0 })), { layers: [layer], columns: [] });
    expect(rests.drifted).toBe(true);
    expect(rests.score).toBeLessThan(100);
    const [channel] = rests.layers[0]?.channels ?? [];
    expect(channel?.meanShift.threshold).toBeCloseTo(0.1, 12);
    expect(channel?.logVarianceRatio.value).toBeCloseTo(-46 * Math.LN2, 6);
  });

  it('may stray no less where it happened to rest', () => {
    const still = sumsOf(inputsOf({ samples: 40, deviation: 0.02 }));
    const [first] = driftOfChannels(layerOf(1), still, comparison);
    expect(first?.meanShift.threshold).toBeCloseTo(allowed.meanShift + 4 * Math.sqrt(1 / 40 + 1 / 608), 1);
  });

  it.each([
    [0.9, 608],
    [0.99, 6368],
    [NaN, 608],
    [1, 608],
  ])('of statistics that keep %s of themselves is compared with %s samples', (momentum, expected) => {
    expect(effectiveSamples(momentum)).toBeCloseTo(expected, 6);
  });
});

describe('a window', () => {
  const verdict = (drawing: Drawing, reference?: Partial<Reference>): boolean | null =>
    assess(windowOf(inputsOf(drawing)), { layers: [layerOf(drawing.channels ?? 1)], columns: [], ...reference })
      .drifted;

  it.each<[string, Drawing, boolean | null]>([
    ['of too few samples says nothing, however far it is', { samples: 199, mean: 200 }, null],
    ['of the samples of training has not', { samples: 200, channels: 50 }, false],
    ['of many of them has not', { samples: 5000, channels: 50 }, false],
    ['of places that are alike has not', { samples: 200, channels: 50, places: 64, common: 1 }, false],
    ['with another mean has', { samples: 200, channels: 50, mean: 3.2 }, true],
    [
      'with a mean that is only certain to differ, by less than a tenth of σ, has not',
      { samples: 20_000, mean: 2.1 },
      false,
    ],
    ['with a mean that differs by a third of σ has, when it has enough samples', { samples: 5000, mean: 2.7 }, true],
    ['with the variance times five has', { samples: 500, deviation: 2 * Math.sqrt(5) }, true],
    ['with a fifth of the variance has', { samples: 500, deviation: 2 * Math.sqrt(0.2) }, true],
  ])('%s', (_, drawing, expected) => {
    expect(verdict(drawing)).toBe(expected);
  });

  it('may stray farther where the network was trained on few samples', () => {
    expect(verdict({ samples: 5000, mean: 2.7 }, { trained: 100 })).toBe(false);
  });

  it('may stray farther with more channels, since all share one probability', () => {
    const thresholdOf = (channels: number): number =>
      assess(windowOf(inputsOf({ samples: 200, channels })), { layers: [layerOf(channels)], columns: [] }).layers[0]
        ?.channels[0]?.meanShift.threshold ?? NaN;
    expect(thresholdOf(500)).toBeGreaterThan(1.15 * thresholdOf(1));
  });

  it('that knows nothing of a layer or column leaves it out', () => {
    const reference = { layers: [layerOf(1, 'other')], columns: [{ name: 'a', shares: [1, 0], samples: 9 }] };
    const nothing = { drifted: null, score: 0, tests: 0, layers: [], columns: [] };
    expect(assess(windowOf(inputsOf({ samples: 300 })), reference)).toMatchObject(nothing);
    const named = { layers: [layerOf(1, 'constructor')], columns: [{ name: 'toString', shares: [1, 0], samples: 9 }] };
    expect(assess(windowOf(inputsOf({ samples: 300 })), named)).toMatchObject(nothing);
  });
});

describe('shares', () => {
  const expected = { shares: [0.5, 0.3, 0.2], samples: 1000 };
  const labels = ['a', 'b', 'c'];

  it('are compared by the population stability index', () => {
    const p = [300.5 / 601.5, 200.5 / 601.5, 100.5 / 601.5];
    const q = [500.5 / 1001.5, 300.5 / 1001.5, 200.5 / 1001.5];
    const index = p.reduce((sum, share, i) => sum + (share - (q[i] ?? NaN)) * Math.log(share / (q[i] ?? NaN)), 0);
    expect(stabilityOf([300, 200, 100], expected, 1e-4).value).toBeCloseTo(index, 12);
  });

  it('of classes are compared by half of what they differ', () => {
    expect(distanceOf([400, 400, 200], expected, 1e-4).value).toBeCloseTo(0.1, 12);
  });

  it('that are expected of no sample are one with all that are rare', () => {
    const rare = { shares: [0.99, 0.005, 0.005, 0], samples: 1000 };
    const { value } = stabilityOf([198, 0, 0, 2], rare, 1e-4);
    expect(value).toBeLessThan(0.01);
    expect(stabilityOf([100, 0, 0, 100], rare, 1e-4).value).toBeGreaterThan(1);
  });

  it.each<[string, readonly number[], boolean]>([
    ['as in training', [500, 300, 200], false],
    ['a little elsewhere', [450, 330, 220], false],
    ['elsewhere', [200, 300, 500], true],
    ['all in one', [0, 0, 1000], true],
  ])('%s: drifted is %s', (_, counts, drifted) => {
    const window = {
      start: 0,
      samples: 1000,
      layers: {},
      columns: { kind: { missing: 0, outOfRange: 0, counts } },
      classes: Object.fromEntries(counts.map((count, i) => [labels[i] ?? '', count] as const)),
    };
    const column = { name: 'kind', shares: [...expected.shares, 0], samples: 1000 };
    const classes = { labels, ...expected };
    expect(assess(window, { layers: [], columns: [column] }).drifted).toBe(drifted);
    expect(assess(window, { layers: [], columns: [], classes }).drifted).toBe(drifted);
  });

  it('of a class that no answer was are none, whatever it is called', () => {
    const classes = { labels: ['constructor', '__proto__', 'b'], shares: [0.3, 0.3, 0.4], samples: 1000 };
    const window = { start: 0, samples: 400, layers: {}, columns: {}, classes: { b: 400 } };
    const found = assess(window, { layers: [], columns: [], classes });
    expect(found.classes?.distance.value).toBeCloseTo(0.6, 12);
    expect(found.drifted).toBe(true);
  });

  it('of gaps count beside those of values', () => {
    const window = { start: 0, samples: 500, layers: {}, columns: { kind: { missing: 250, outOfRange: 5, counts: [125, 75, 50] } }, classes: {} }; // oxfmt-ignore
    const found = assess(window, {
      layers: [],
      columns: [{ name: 'kind', shares: [...expected.shares, 0], samples: 1000 }],
    });
    expect(found).toMatchObject({ drifted: true, columns: [{ missing: 0.5, outOfRange: 0.01 }] });
  });
});
