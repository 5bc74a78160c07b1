/**
 * Decides whether a window of answers has drifted from what its model expects: tests every channel, every column and
 * the shares of the classes at one level of significance.
 */
import type { BatchNormLayer } from '../image.ts';
import { type ChannelDrift, type Compared, type Comparison, driftOfChannels } from './channels.ts';
import { distanceOf, type Expected, stabilityOf, sum } from './stability.ts';
import { minSamples, normalQuantile, tailOf } from './thresholds.ts';
import { type DriftWindow, memberOf } from './window.ts';

/** Holds what a model expects, from its file and its card. */
export interface Reference {
  readonly layers: readonly BatchNormLayer[];
  /** Counts the samples that the network was trained on; absent when the card does not say. */
  readonly trained?: number;
  readonly columns: readonly ColumnReference[];
  /** The expected shares of the labels; absent when the card does not say how often each class occurred in training. */
  readonly classes?: Expected & { readonly labels: readonly string[] };
}

/** Holds the shares of training: one for each count of a window, then the share of gaps. */
export interface ColumnReference extends Expected {
  readonly name: string;
}

export interface Assessment {
  /** Is null when there are too few samples for a verdict, or nothing to compare. */
  readonly drifted: boolean | null;
  /** The largest difference as a multiple of its threshold: from 1 upwards the window has drifted. */
  readonly score: number;
  /** Counts the differences that were compared. */
  readonly tests: number;
  readonly layers: readonly LayerDrift[];
  readonly columns: readonly ColumnDrift[];
  readonly classes?: ClassDrift;
}

export interface LayerDrift {
  readonly name: string;
  readonly score: number;
  readonly channels: readonly ChannelDrift[];
}

export interface ColumnDrift {
  readonly name: string;
  readonly score: number;
  readonly stability: Compared;
  /** The share of the window's rows with a gap. */
  readonly missing: number;
  /** The share of the window's rows with a value beyond those of training. */
  readonly outOfRange: number;
}

export interface ClassDrift {
  readonly score: number;
  readonly distance: Compared;
}

export function assess(window: DriftWindow, reference: Reference): Assessment {
  const { samples } = window;
  const layers = reference.layers.filter(({ name }) => memberOf(window.layers, name));
  const columns = reference.columns.filter(({ name }) => memberOf(window.columns, name));
  const { classes } = reference;
  const tests = 2 * sum(layers.map(({ runningMean }) => runningMean.length)) + columns.length + (classes ? 1 : 0);
  const tail = tailOf(tests);
  const comparison = { samples, trained: reference.trained ?? Infinity, z: normalQuantile(tail / 2) };
  const found = {
    layers: samples > 1 ? layers.map((layer) => layerDrift(layer, window, comparison)) : [],
    columns: samples > 0 ? columns.map((column) => columnDrift(column, window, tail)) : [],
    ...(classes && samples > 0 && { classes: classDrift(classes, window, tail) }),
  };
  const scores = [...found.layers, ...found.columns, ...(found.classes ? [found.classes] : [])];
  const score = scores.reduce((max, each) => Math.max(max, each.score), 0);
  return { drifted: samples < minSamples || tests === 0 ? null : score >= 1, score, tests, ...found };
}

/** Returns the difference as a multiple of its threshold, and 0 when that is NaN. */
const scoreOf = ({ value, threshold }: Compared): number => {
  const score = Math.abs(value) / threshold;
  return Number.isNaN(score) ? 0 : score;
};

export const scoreOfChannel = ({ meanShift, logVarianceRatio }: ChannelDrift): number =>
  Math.max(scoreOf(meanShift), scoreOf(logVarianceRatio));

function layerDrift(layer: BatchNormLayer, { layers }: DriftWindow, comparison: Comparison): LayerDrift {
  const sums = memberOf(layers, layer.name);
  const channels = sums ? driftOfChannels(layer, sums, comparison) : [];
  const score = channels.reduce((max, channel) => Math.max(max, scoreOfChannel(channel)), 0);
  return { name: layer.name, score, channels };
}

function columnDrift(column: ColumnReference, { columns, samples }: DriftWindow, tail: number): ColumnDrift {
  const { name } = column;
  const { missing = 0, outOfRange = 0, counts = [] } = memberOf(columns, name) ?? {};
  const stability = stabilityOf([...counts, missing], column, tail);
  return { name, score: scoreOf(stability), stability, missing: missing / samples, outOfRange: outOfRange / samples };
}

function classDrift(expected: NonNullable<Reference['classes']>, { classes }: DriftWindow, tail: number): ClassDrift {
  const counts = expected.labels.map((label) => memberOf(classes, label) ?? 0);
  const distance = distanceOf(counts, expected, tail);
  return { score: scoreOf(distance), distance };
}
