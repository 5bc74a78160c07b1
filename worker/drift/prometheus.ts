/**
 * Formats drift for Prometheus: the newest window of each monitored model.
 * https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 */
import type { DriftResponse } from '../protocol/responses.ts';

type Labels = Readonly<Record<string, string>>;
type Detail = NonNullable<DriftResponse['window']>;

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly values: (window: Detail) => readonly (readonly [labels: Labels, value: number | null])[];
}

/** Lists the metrics. A ratio divides a difference by its threshold: from 1 upwards it is drift. */
const metrics: readonly Metric[] = [
  {
    name: 'bn_edge_drift_detected',
    help: 'Whether the window has drifted; absent while it has too few samples for a verdict.',
    values: ({ drifted }) => [[{}, drifted === null ? null : Number(drifted)]],
  },
  {
    name: 'bn_edge_drift_score_ratio',
    help: 'The largest ratio of a difference to its threshold in the window; from 1 upwards it has drifted.',
    values: ({ score }) => [[{}, score]],
  },
  {
    name: 'bn_edge_drift_window_samples',
    help: 'Samples of the window.',
    values: ({ samples }) => [[{}, samples]],
  },
  {
    name: 'bn_edge_drift_window_start_timestamp_seconds',
    help: 'When the window began, since 1970.',
    values: ({ start }) => [[{}, start / 1000]],
  },
  {
    name: 'bn_edge_drift_layer_score_ratio',
    help: 'The largest ratio of a difference to its threshold among the channels of a Batch Norm layer.',
    values: ({ layers }) => layers.map(({ name, score }) => [{ layer: name }, score]),
  },
  {
    name: 'bn_edge_drift_layer_channels',
    help: 'Channels of a Batch Norm layer that have drifted.',
    values: ({ layers }) => layers.map(({ name, drifted_channels }) => [{ layer: name }, drifted_channels]),
  },
  {
    name: 'bn_edge_drift_column_score_ratio',
    help: 'The ratio of the population stability index of a column to its threshold.',
    values: ({ columns }) => columns.map(({ name, score }) => [{ column: name }, score]),
  },
  {
    name: 'bn_edge_drift_column_stability_index',
    help: 'The population stability index of a column against training.',
    values: ({ columns }) => columns.map(({ name, stability_index }) => [{ column: name }, stability_index]),
  },
  {
    name: 'bn_edge_drift_column_missing_ratio',
    help: 'The share of rows with a gap in a column.',
    values: ({ columns }) => columns.map(({ name, missing }) => [{ column: name }, missing]),
  },
  {
    name: 'bn_edge_drift_class_ratio',
    help: 'The share of answers that were a class.',
    values: ({ classes }) => (classes?.shares ?? []).map(({ label, share }) => [{ class: label }, share]),
  },
];

/** Formats all metrics of all models; a model without a window has none. */
export function metricsText(reports: readonly DriftResponse[]): string {
  return metrics.map((metric) => textOf(metric, reports)).join('');
}

function textOf({ name, help, values }: Metric, reports: readonly DriftResponse[]): string {
  const lines = reports.flatMap(({ model_name, model_version, window }) =>
    (window ? values(window) : []).flatMap(([labels, value]) =>
      value === null
        ? []
        : [`${name}${labelsText({ model: model_name, version: model_version, ...labels })} ${numberText(value)}\n`],
    ),
  );
  return lines.length === 0 ? '' : `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${lines.join('')}`;
}

const labelsText = (labels: Labels): string =>
  `{${Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(',')}}`;

const escaped = (value: string): string => value.replace(/[\\"\n]/g, (sign) => (sign === '\n' ? '\\n' : `\\${sign}`));

/** Formats a number as Go's parser reads it. */
const numberText = (value: number): string =>
  value === Infinity ? '+Inf' : value === -Infinity ? '-Inf' : String(value);
