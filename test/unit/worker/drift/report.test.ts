/** Hours become windows, reports and Prometheus metrics. */
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { windowsOf } from '../../../../worker/drift/join-windows.ts';
import { metricsText } from '../../../../worker/drift/prometheus.ts';
import { reportOn } from '../../../../worker/drift/report.ts';
import { type DriftWindow, windowMs } from '../../../../worker/drift/window.ts';
import { responseSchemas } from '../../../../worker/protocol/responses.ts';
import { inputsOf, layerOf, windowOf } from './windows.ts';

const model = { name: 'digits', version: '2' };
const reference = {
  layers: [layerOf(12)],
  columns: [{ name: 'kind', shares: [0.5, 0.5, 0], samples: 1000 }],
  classes: { labels: ['a', 'b'], shares: [0.5, 0.5], samples: 1000 },
};

const hour = (at: number, samples: number, mean = 2): DriftWindow =>
  windowOf(inputsOf({ samples, channels: 12, mean, seed: at + 1 }), {
    start: at * windowMs,
    columns: { kind: { missing: 0, outOfRange: 1, counts: [samples / 2, samples / 2] } },
    classes: { a: samples / 2, b: samples / 2 },
  });

describe('hours', () => {
  it('are joined from the last one back, and gaps make no window', () => {
    const hours = [hour(0, 10), hour(1, 20), hour(5, 30), hour(6, 40)];
    expect(windowsOf(hours, 3).map(({ start, samples }) => [start / windowMs, samples])).toEqual([
      [0, 10],
      [1, 20],
      [5, 70],
    ]);
    expect(windowsOf([], 3)).toEqual([]);
  });

  it('add up to the same sums as one window of all their samples', () => {
    const [first, second] = [hour(0, 10), hour(1, 20, 5)];
    const [both] = windowsOf([first, second], 2);
    const all = windowOf([...inputsOf({ samples: 10, channels: 12, seed: 1 }), ...inputsOf({ samples: 20, channels: 12, mean: 5, seed: 2 })]); // oxfmt-ignore
    for (const sums of ['mean', 'square', 'meanSquare'] as const) {
      both?.layers['bn1']?.[sums].forEach((value, c) => {
        expect(value).toBeCloseTo(all.layers['bn1']?.[sums][c] ?? NaN, 8);
      });
    }
    expect(both).toMatchObject({
      columns: { kind: { missing: 0, outOfRange: 2, counts: [15, 15] } },
      classes: { a: 15, b: 15 },
    });
  });

  it('have members of their own, whatever classes are called', () => {
    const named: Readonly<Record<string, number>> = JSON.parse('{"__proto__": 3}') as Record<string, number>;
    const [joined] = windowsOf(
      [
        { ...hour(0, 4), classes: named },
        { ...hour(1, 4), classes: named },
      ],
      2,
    );
    expect(Object.entries(joined?.classes ?? {})).toEqual([['__proto__', 6]]);
  });
});

describe('a report', () => {
  it('has no verdict where there is nothing to compare, and says so', () => {
    const { drifted, note } = reportOn(model, [hour(3, 300)], { layers: [], columns: [] }, 1);
    expect([drifted, note]).toEqual([null, 'nothing to compare: no Batch Norm layer is watched, and the card holds nothing from training (reference)']); // oxfmt-ignore
    expect(reportOn(model, [hour(3, 40)], reference, 1).note).toBe('fewer than 200 samples are too few');
  });

  it.each<[string, DriftWindow]>([
    ['more channels', { ...hour(2, 300), layers: windowOf(inputsOf({ samples: 300, channels: 13 })).layers }],
    ['fewer channels', { ...hour(2, 300), layers: windowOf(inputsOf({ samples: 300, channels: 11 })).layers }],
    ['more bins', { ...hour(2, 300), columns: { kind: { missing: 0, outOfRange: 0, counts: [100, 100, 100] } } }],
    ['fewer bins', { ...hour(2, 300), columns: { kind: { missing: 0, outOfRange: 0, counts: [300] } } }],
  ])('leaves out an hour of a former model with %s, and says so', (_, former) => {
    const note =
      "hourly windows left out: 1; expected the model's numbers of channels and bins, got others (a former model had this version; release a new one)";
    for (const hours of [1, 2]) {
      const alone = reportOn(model, [hour(3, 300)], reference, hours);
      expect(alone.drifted).toBe(false);
      expect(reportOn(model, [former, hour(3, 300)], reference, hours)).toEqual({ ...alone, note });
    }
    expect(reportOn(model, [former], reference, 1)).toMatchObject({
      drifted: null,
      note: `fewer than 200 samples are too few; ${note}`,
      window: null,
    });
  });

  it('has a share of 0 for a class that no answer was, whatever it is called', () => {
    const classes = { labels: ['constructor', 'b'], shares: [0.5, 0.5], samples: 1000 };
    const { window } = reportOn(model, [{ ...hour(3, 300), classes: { b: 300 } }], { ...reference, classes }, 1);
    expect(window?.classes?.shares).toEqual([
      { label: 'constructor', share: 0, expected: 0.5 },
      { label: 'b', share: 1, expected: 0.5 },
    ]);
  });

  it.each<[string, readonly DriftWindow[], boolean | null, number | undefined]>([
    ['of nothing', [], null, undefined],
    ['of few samples', [hour(3, 40)], null, 3],
    ['of an hour like training', [hour(3, 300)], false, 3],
    ['of one that is not', [hour(2, 300), hour(3, 300, 9)], true, 3],
    ['of an hour that has just begun is that of the one before', [hour(2, 300, 9), hour(3, 40)], true, 2],
  ])('%s', (_, hours, drifted, start) => {
    const report = reportOn(model, hours, reference, 1);
    expect(z.parse(responseSchemas().DriftResponse, JSON.parse(JSON.stringify(report)))).toEqual(JSON.parse(JSON.stringify(report))); // oxfmt-ignore
    expect(report.drifted).toBe(drifted);
    expect(report.window?.start).toBe(start === undefined ? undefined : start * windowMs);
    expect(report.trend.map(({ samples }) => samples)).toEqual(hours.map(({ samples }) => samples));
  });

  it('tells the channels that are farthest, the farthest first', () => {
    const inputs = inputsOf({ samples: 300, channels: 12 }).map((sample) =>
      sample.map((places, c) => places.map((x) => x + c)),
    );
    const { window } = reportOn(model, [windowOf(inputs)], reference, 1);
    const [layer] = window?.layers ?? [];
    expect(layer?.worst.map(({ channel }) => channel)).toEqual([11, 10, 9, 8, 7, 6, 5, 4]);
    expect(layer).toMatchObject({ drifted: true, channels: 12, drifted_channels: 11 });
  });
});

describe('metrics', () => {
  const text = metricsText([
    reportOn({ name: 'a "b" \\ c\nd', version: '1' }, [hour(3, 300, 9)], reference, 1),
    reportOn({ name: 'few', version: '1' }, [hour(3, 40)], reference, 1),
    reportOn({ name: 'none', version: '1' }, [], reference, 1),
  ]);

  it('are lines of a name, labels and a number, each under its help and type', () => {
    const line =
      /^(# HELP [a-z_]+ .+|# TYPE [a-z_]+ gauge|[a-z_]+\{[a-z]+="([^"\\\n]|\\["\\n])*"(,[a-z]+="([^"\\\n]|\\["\\n])*")*\} (\d+(\.\d+)?(e-?\d+)?))$/;
    const lines = text.trimEnd().split('\n');
    expect(lines.filter((each) => !line.test(each))).toEqual([]);
    const names = lines.flatMap((each) => (each.startsWith('# TYPE ') ? [each.split(' ')[2]] : []));
    expect(new Set(names).size).toBe(names.length);
    for (const each of lines.filter((one) => !one.startsWith('#'))) expect(names).toContain(each.split('{')[0]);
  });

  it('escape names', () => {
    expect(text).toContain('bn_edge_drift_detected{model="a \\"b\\" \\\\ c\\nd",version="1"} 1\n');
  });

  it('say nothing of what nobody knows yet', () => {
    expect(text).not.toContain('bn_edge_drift_detected{model="few"');
    expect(text).toContain('bn_edge_drift_window_samples{model="few",version="1"} 40\n');
    expect(text).not.toContain('model="none"');
    expect(metricsText([])).toBe('');
  });
});
