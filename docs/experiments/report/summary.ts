/** Summarizes repeats at the same x as one point with an error bar. */
import { deviation, mean } from '../lab/statistics.ts';
import type { Summary } from './figure.ts';

export function summarize(points: readonly { readonly x: number; readonly y: number }[]): readonly Summary[] {
  const groups = Map.groupBy(points, ({ x }) => x);
  return [...groups]
    .map(([x, group]) => ({ x, values: group.map(({ y }) => y) }))
    .map(({ x, values }) => ({ x, mean: mean(values), deviation: deviation(values) }))
    .toSorted((a, b) => a.x - b.x);
}
