/**
 * Sums of numbers by name, as an isolate makes and sends them and a Durable Object stores them. Sums of the same name
 * are added number by number.
 */
import { at } from '../../training/arrays/index.ts';
import type { ChannelSums, ColumnSums, DriftWindow } from './window.ts';

/**
 * A layer has three numbers per channel. A column has the numbers of gaps and of values out of range, then its counts.
 * A class has one number.
 */
export type Kind = 'layer' | 'column' | 'class';

export interface NamedSums {
  readonly kind: Kind;
  readonly name: string;
  readonly numbers: Float64Array<ArrayBuffer>;
}

/** Holds the sums of one version of a model in one window. */
export interface Sums {
  readonly version: string;
  readonly start: number;
  readonly samples: number;
  readonly parts: readonly NamedSums[];
}

export const keyOf = ({ kind, name }: Pick<NamedSums, 'kind' | 'name'>): string => `${kind}/${name}`;

/**
 * Adds `more` to `sums` in place.
 * @returns false when the lengths differ: then they belong to different models of the same version, and nothing is
 * added
 */
export function addTo(sums: Float64Array, more: Float64Array): boolean {
  if (sums.length !== more.length) return false;
  for (const [i, value] of more.entries()) sums[i] = at(sums, i) + value;
  return true;
}

/** Adds up both sums, or returns the later ones alone when the model has been replaced. */
export function joined(former: Sums | undefined, later: Sums): Sums {
  if (!former) return later;
  const parts = new Map(former.parts.map((part) => [keyOf(part), { ...part, numbers: part.numbers.slice() }]));
  for (const part of later.parts) {
    const own = parts.get(keyOf(part));
    if (own && !addTo(own.numbers, part.numbers)) return later;
    if (!own) parts.set(keyOf(part), part);
  }
  return { ...later, samples: former.samples + later.samples, parts: [...parts.values()] };
}

/** Turns sums into a window. */
export function windowOf({ start, samples, parts }: Omit<Sums, 'version'>): DriftWindow {
  const named = <Value>(kind: Kind, read: (numbers: readonly number[]) => Value): Readonly<Record<string, Value>> =>
    Object.fromEntries(
      parts.filter((part) => part.kind === kind).map(({ name, numbers }) => [name, read(Array.from(numbers))]),
    );
  return {
    start,
    samples,
    layers: named('layer', channelsOf),
    columns: named('column', ([missing = 0, outOfRange = 0, ...counts]): ColumnSums => ({
      missing,
      outOfRange,
      counts,
    })),
    classes: named('class', ([count = 0]) => count),
  };
}

function channelsOf(numbers: readonly number[]): ChannelSums {
  const channels = numbers.length / 3;
  const third = (i: number): readonly number[] => numbers.slice(i * channels, (i + 1) * channels);
  return { mean: third(0), square: third(1), meanSquare: third(2) };
}
