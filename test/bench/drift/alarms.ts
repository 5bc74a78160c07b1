/** Measures how often windows drawn from samples alarm, and how many samples it takes until nearly all of them do. */
import Table from 'cli-table3';
import type { Random } from '../../../training/data/index.ts';
import { assess, type Reference } from '../../../worker/drift/assess.ts';
import type { DriftWindow } from '../../../worker/drift/window.ts';
import type { Measurement } from '../measurement.ts';
import { drawn } from './moments.ts';

/** Samples to draw windows from, and the reference to assess them by. */
export interface Traffic {
  readonly count: number;
  /** Returns a window of the samples at these indices. */
  readonly window: (places: Int32Array) => DriftWindow;
  readonly reference: Reference;
}

/** Returns the share of windows of so many samples that alarm. */
export function alarmRate(
  { count, window, reference }: Traffic,
  samples: number,
  windows: number,
  random: Random,
): number {
  let alarms = 0;
  for (let i = 0; i < windows; i++) {
    if (assess(window(drawn(random, count, samples)), reference).drifted) alarms++;
  }
  return alarms / windows;
}

/** Measures the share of false alarms for windows of several sizes. */
export function falseAlarmRates(
  name: string,
  traffic: Traffic,
  windows: number,
  random: Random,
): readonly Measurement[] {
  const table = new Table({ head: [`${name}, no drift`, 'windows', 'false alarms'], style: { head: [] } });
  const found = [200, 400, 1000, 3000].map((samples) => {
    const rate = alarmRate(traffic, samples, windows, random);
    table.push([`${samples} samples`, windows, `${(100 * rate).toFixed(2)} %`]);
    return { name: `drift/${name}/false_alarms/${samples}`, value: rate, unit: '' };
  });
  console.log(table.toString());
  return found;
}

const sizes = [200, 300, 500, 1000, 2000, 5000] as const;
/** The share of windows that must alarm. */
const nearlyAll = 0.95;

/**
 * Returns the fewest samples, of the sizes tried, with which 95 % of windows alarm; undefined where 5,000 are too few.
 */
export const samplesToNotice = (traffic: Traffic, windows: number, random: Random): number | undefined =>
  sizes.find((samples) => alarmRate(traffic, samples, windows, random) >= nearlyAll);

export const noticed = (samples: number | undefined): string =>
  samples === undefined ? `more than ${sizes.at(-1)}` : String(samples);
