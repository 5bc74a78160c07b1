/**
 * Shows on the page what the model was asked lately, beside what it was trained on. The module is a chunk of its own.
 */
import '../styles/drift.css';
import {
  type Drift,
  type DriftedChannel,
  type DriftedClasses,
  type DriftedColumn,
  type DriftedLayer,
  readDrift,
} from '../api/drift.ts';
import type { Model } from '../api/model.ts';
import { card, make } from '../dom.ts';
import { decimal, number, percent, plural } from '../format.ts';
import { type Bar, barList, scoreBar, part } from './bars.ts';
import { drawTrend, timeOf } from './trend.ts';

export function createDriftCard(model: Model): HTMLElement {
  const verdict = make('p', { className: 'drift-verdict', role: 'status' }, 'Asking…');
  const body = make('div', { className: 'drift-parts' });
  const again = make('button', { type: 'button', className: 'quiet' }, 'Look again');
  const root = card('drift', 'Has the world moved?', verdict, body, make('div', { className: 'tools' }, again));
  const look = async (): Promise<void> => {
    try {
      const drift = await readDrift(model);
      verdict.textContent = verdictOf(drift);
      root.classList.toggle('has-drifted', drift.drifted === true);
      body.replaceChildren(...partsOf(drift));
    } catch (error) {
      verdict.textContent = error instanceof Error ? error.message : 'The model did not answer.';
      body.replaceChildren();
    }
  };
  again.addEventListener('click', () => void look());
  void look();
  return root;
}

function verdictOf({ drifted, window, least_samples }: Drift): string {
  if (!window) return 'Nothing was counted in the last 24 hours.';
  const when = `${plural(window.samples, 'sample')} from ${timeOf(window.start)} on`;
  if (drifted === null && window.samples >= least_samples)
    return `Not known: there is nothing to compare ${when} with.`;
  if (drifted === null) return `Not yet: ${when} are too few to say, it takes ${least_samples}.`;
  return drifted ? `Yes: ${when} are not what the model was trained on.` : `No: ${when} look like those of training.`;
}

function partsOf({ window, trend }: Drift): readonly HTMLElement[] {
  if (!window) return [];
  const { layers, columns, classes } = window;
  return [
    part(
      'Hour by hour',
      'The largest difference of each hour; from the line on it is drift.',
      drawTrend(trend, window.hours),
    ),
    ...layers.map(layerPart),
    ...(columns.length > 0 ? [columnsPart(columns)] : []),
    ...(classes ? [classesPart(classes)] : []),
  ];
}

const layerPart = ({ name, channels, drifted_channels, worst }: DriftedLayer): HTMLElement =>
  part(
    `What goes into ${name}`,
    `${drifted_channels} of ${plural(channels, 'channel')} drifted, which is from the mark on. μ is in running standard deviations.`,
    barList(worst.map(channelBar)),
  );

/** Draws the difference of the mean or of the variance, whichever is farther from its reference. */
function channelBar({ channel, score, mean_shift, mean_threshold, log_variance_ratio }: DriftedChannel): Bar {
  const isMean = Math.abs(mean_shift ?? 0) / (mean_threshold ?? 1) >= (score ?? 0) * (1 - 1e-9);
  const shift = mean_shift ?? 0;
  const text = isMean
    ? `μ ${shift < 0 ? '' : '+'}${decimal(shift)} σ`
    : `σ² × ${decimal(Math.exp(log_variance_ratio ?? 0))}`;
  return { name: `channel ${channel + 1}`, text, ...scoreBar(score) };
}

const maxColumns = 12;

function columnsPart(columns: readonly DriftedColumn[]): HTMLElement {
  const sorted = [...columns].sort((a, b) => (b.score ?? 0) - (a.score ?? 0));
  const bars = sorted.slice(0, maxColumns).map(({ name, score, stability_index, missing, out_of_range }) => {
    const more = [
      ...(missing > 0 ? [`${percent(missing)} missing`] : []),
      ...(out_of_range > 0 ? [`${percent(out_of_range)} beyond training's`] : []),
    ];
    return { name, text: [decimal(stability_index ?? 0), ...more].join(', '), ...scoreBar(score) };
  });
  const rest = columns.length - bars.length;
  const note = `The population stability index of each column; from the mark on it is drift.${rest > 0 ? ` ${rest} more columns differ less.` : ''}`;
  return part('Columns', note, barList(bars));
}

const maxClasses = 20;

function classesPart({ drifted, distance, threshold, shares }: DriftedClasses): HTMLElement {
  const shown = [...shares].sort((a, b) => differenceOf(b) - differenceOf(a)).slice(0, maxClasses);
  const largest = Math.max(...shown.flatMap(({ share, expected = 0 }) => [share, expected]), Number.MIN_VALUE);
  const bars = shown.map(({ label, share, expected }) => ({
    name: label,
    text: expected === undefined ? percent(share) : `${percent(share)}, was ${percent(expected)}`,
    share: share / largest,
    ...(expected !== undefined && { mark: expected / largest }),
    isDrift: drifted === true,
  }));
  const note =
    typeof distance === 'number' && typeof threshold === 'number'
      ? `The marks are the shares of training. ${number(Number(distance.toFixed(3)))} of all answers are elsewhere; from ${number(Number(threshold.toFixed(3)))} on it is drift.`
      : 'The card does not say how often each class occurred in training.';
  return part('Answers', note, barList(bars));
}

const differenceOf = ({ share, expected = 0 }: DriftedClasses['shares'][number]): number => Math.abs(share - expected);
