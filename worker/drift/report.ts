/**
 * Builds the report on a model's drift: the newest window that has a verdict in detail, and the score of every window.
 */
import type { BatchNormLayer } from '../image.ts';
import type { DriftResponse } from '../protocol/responses.ts';
import {
  assess,
  type Assessment,
  type ColumnReference,
  type LayerDrift,
  type Reference,
  scoreOfChannel,
} from './assess.ts';
import { windowsOf } from './join-windows.ts';
import { falseAlarms, minSamples } from './thresholds.ts';
import { type DriftWindow, memberOf } from './window.ts';

/** Limits the channels shown of each layer to those with the largest scores. */
const shownChannels = 8;

type Detail = NonNullable<DriftResponse['window']>;

/**
 * @param hourly windows of an hour, the oldest first
 * @param hours the length of a window in the report
 */
export function reportOn(
  { name, version }: { readonly name: string; readonly version: string },
  hourly: readonly DriftWindow[],
  reference: Reference,
  hours: number,
): DriftResponse {
  const fitting = hourly.filter((window) => fits(window, reference));
  const windows = windowsOf(fitting, hours);
  const judged = windows.map((window) => ({ window, found: assess(window, reference) }));
  const last = judged.findLast(({ found }) => found.drifted !== null) ?? judged.at(-1);
  const drifted = last?.found.drifted ?? null;
  const notes = [
    ...(drifted === null ? [noteOn(last)] : []),
    ...(fitting.length < hourly.length ? [noteOnOthers(hourly.length - fitting.length)] : []),
  ];
  return {
    model_name: name,
    model_version: version,
    drifted,
    ...(notes.length > 0 && { note: notes.join('; ') }),
    least_samples: minSamples,
    false_alarms: falseAlarms,
    window: last ? detailOf(last.window, last.found, reference, hours) : null,
    trend: judged.map(({ window: { start, samples }, found }) => ({
      start,
      samples,
      drifted: found.drifted,
      score: found.score,
    })),
  };
}

/**
 * Is true when the window has as many sums of each layer and column as the model has channels and counts. Otherwise it
 * was counted for a former model of the same version, and can be neither joined nor compared.
 */
function fits({ layers, columns }: DriftWindow, reference: Reference): boolean {
  const fitsLayer = ({ name, runningMean }: BatchNormLayer): boolean => {
    const { mean = runningMean } = memberOf(layers, name) ?? {};
    return mean.length === runningMean.length;
  };
  // The last share is that of the gaps, which are not among the counts.
  const fitsColumn = ({ name, shares }: ColumnReference): boolean =>
    (memberOf(columns, name)?.counts.length ?? shares.length - 1) === shares.length - 1;
  return reference.layers.every(fitsLayer) && reference.columns.every(fitsColumn);
}

/** Says how many hourly windows are left out of the report. */
const noteOnOthers = (windows: number): string =>
  `hourly windows left out: ${windows}; expected the model's numbers of channels and bins, got others (a former model had this version; release a new one)`;

/** Explains why there is no verdict. */
function noteOn(last: { readonly window: DriftWindow; readonly found: Assessment } | undefined): string {
  return last && last.window.samples >= minSamples
    ? 'nothing to compare: no Batch Norm layer is watched, and the card holds nothing from training (reference)'
    : `fewer than ${minSamples} samples are too few`;
}

function detailOf(
  { start, samples, classes }: DriftWindow,
  found: Assessment,
  reference: Reference,
  hours: number,
): Detail {
  const { drifted, score, tests } = found;
  const isDrift = (of: number): boolean | null => (drifted === null ? null : of >= 1);
  const answered = Object.values(classes).reduce((all, count) => all + count, 0);
  return {
    start,
    hours,
    samples,
    drifted,
    score,
    tests,
    layers: found.layers.map((layer) => layerOf(layer, isDrift)),
    columns: found.columns.map(({ name, score: own, stability, missing, outOfRange }) => ({
      name,
      drifted: isDrift(own),
      score: own,
      stability_index: stability.value,
      threshold: stability.threshold,
      missing,
      out_of_range: outOfRange,
    })),
    ...(answered > 0 && {
      classes: {
        ...(found.classes && {
          drifted: isDrift(found.classes.score),
          score: found.classes.score,
          distance: found.classes.distance.value,
          threshold: found.classes.distance.threshold,
        }),
        shares: sharesOf(classes, answered, reference.classes),
      },
    }),
  };
}

function layerOf(
  { name, score, channels }: LayerDrift,
  isDrift: (of: number) => boolean | null,
): Detail['layers'][number] {
  const worst = [...channels].sort((a, b) => scoreOfChannel(b) - scoreOfChannel(a));
  return {
    name,
    channels: channels.length,
    drifted: isDrift(score),
    score,
    drifted_channels: channels.filter((channel) => scoreOfChannel(channel) >= 1).length,
    worst: worst.slice(0, shownChannels).map((drift) => ({
      channel: drift.channel,
      score: scoreOfChannel(drift),
      mean_shift: drift.meanShift.value,
      mean_threshold: drift.meanShift.threshold,
      log_variance_ratio: drift.logVarianceRatio.value,
      variance_threshold: drift.logVarianceRatio.threshold,
    })),
  };
}

function sharesOf(counts: DriftWindow['classes'], answered: number, expected: Reference['classes']) {
  const labels = expected?.labels ?? Object.keys(counts);
  return labels.map((label, i) => {
    const share = expected?.shares[i];
    return { label, share: (memberOf(counts, label) ?? 0) / answered, ...(share !== undefined && { expected: share }) };
  });
}
