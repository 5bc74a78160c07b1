/** Joins the windows of several hours. */
import { at } from '../../training/arrays/index.ts';
import { type ChannelSums, type ColumnSums, type DriftWindow, windowMs } from './window.ts';

/** Adds up windows, each of which must follow those before it. */
function joinWindows([first, ...others]: readonly [DriftWindow, ...DriftWindow[]]): DriftWindow {
  return others.reduce(
    (joined, window) => ({
      start: joined.start,
      samples: joined.samples + window.samples,
      layers: joinRecords(joined.layers, window.layers, joinChannels),
      columns: joinRecords(joined.columns, window.columns, joinColumns),
      classes: joinRecords(joined.classes, window.classes, (a, b) => a + b),
    }),
    first,
  );
}

type Named<Value> = Readonly<Record<string, Value>>;

function joinRecords<Value>(a: Named<Value>, b: Named<Value>, join: (a: Value, b: Value) => Value): Named<Value> {
  const joined = new Map(Object.entries(a));
  for (const [name, value] of Object.entries(b)) {
    const former = joined.get(name);
    joined.set(name, former === undefined ? value : join(former, value));
  }
  // Each label becomes an own member, even `__proto__`.
  return Object.fromEntries(joined);
}

const add = (a: readonly number[], b: readonly number[]): readonly number[] => a.map((value, i) => value + at(b, i));

const joinChannels = (a: ChannelSums, b: ChannelSums): ChannelSums => ({
  mean: add(a.mean, b.mean),
  square: add(a.square, b.square),
  meanSquare: add(a.meanSquare, b.meanSquare),
});

const joinColumns = (a: ColumnSums, b: ColumnSums): ColumnSums => ({
  missing: a.missing + b.missing,
  outOfRange: a.outOfRange + b.outOfRange,
  counts: add(a.counts, b.counts),
});

/**
 * Joins hourly windows into windows of `hours` hours, counted back from the last one, the oldest first. Hours without
 * answers make no window.
 */
export function windowsOf(hourly: readonly DriftWindow[], hours: number): readonly DriftWindow[] {
  const end = (hourly.at(-1)?.start ?? 0) + windowMs;
  const groups = Map.groupBy(hourly, ({ start }) => Math.ceil((end - start) / (hours * windowMs)));
  return [...groups.values()].flatMap(([first, ...others]) => (first ? [joinWindows([first, ...others])] : []));
}
