/**
 * Measures how the cost of training grows with the width and the depth of a network and with the size of the data set.
 */
import { median, type Measurement } from '../measurement.ts';
import { interleave } from '../rounds.ts';
import { type Bench, ours, runJob, speedJob, type Study } from './bench.ts';
import { integer, printTable, progress, spread } from './print.ts';
import { multilayerPerceptron } from './networks.ts';
import type { Job, Report } from './job.ts';

interface Axis {
  readonly name: string;
  readonly factors: readonly number[];
  readonly job: (bench: Bench, factor: number) => Job;
  /** Names the cause of the growth along this axis. */
  readonly limit: string;
}

const batchSize = 64;

const grown = (hidden: number, units: number) =>
  ({ network: multilayerPerceptron(hidden, units), batchSize, data: 'mnist' }) as const;

const axes: readonly Axis[] = [
  {
    name: 'width',
    factors: [1, 2, 4],
    job: (bench, factor) => speedJob(bench, grown(2, 256 * factor)),
    limit:
      'time follows the number of parameters (× 2.5, × 6.9): the matrix products, and the optimizer’s passes over all parameters and their moments, which a small mini-batch shares out over few samples',
  },
  {
    name: 'depth',
    factors: [2, 5, 10],
    job: (bench, factor) => speedJob(bench, grown(factor, 256)),
    limit:
      'every hidden layer adds the same time: its products, the passes of Batch Norm and ReLU over its activations, its share of the optimizer',
  },
  {
    name: 'data',
    factors: [1, 10],
    job: (bench, factor) => speedJob(bench, grown(2, 256), factor),
    limit:
      'a step sees its mini-batch alone, so speed stays; memory holds the whole training set, 43 MB of bytes for each copy of MNIST',
  },
];

const nameOf = (axis: Axis, factor: number): string => `training/scale/${axis.name}/${factor}`;

export const scale: Study = async (bench) => {
  const points = axes
    .flatMap((axis) => axis.factors.map((factor) => ({ axis, factor, name: nameOf(axis, factor) })))
    .filter(({ name }) => bench.wanted(`${name}/samples_per_second`) || bench.wanted(`${name}/peak_rss_mb`));
  const candidates = points.map(({ axis, factor, name }) => ({
    name,
    run: () => runJob(bench, ours, axis.job(bench, factor)),
  }));
  const results = await interleave(candidates, bench.rounds, (name, { samplesPerSecond }, round) => {
    progress(`round ${round}/${bench.rounds}  ${name}  ${integer(samplesPerSecond)}`);
  });
  if (results.size === 0) return [];
  printTable(
    ['mnist-mlp, 64', 'samples/s', 'min – max', 'memory'],
    points.map(({ name }) => row(name, results)),
  );
  for (const { name, limit } of axes) console.log(`${name}: ${limit}`);
  return [...results].flatMap(([name, reports]) => measurements(name, reports));
};

function row(name: string, results: ReadonlyMap<string, readonly Report[]>): string[] {
  const reports = results.get(name) ?? [];
  const rates = reports.map(({ samplesPerSecond }) => samplesPerSecond);
  const memory = median(reports.map(({ peakRss }) => peakRss));
  return [
    name.replace('training/scale/', '').replace('/', ' '),
    integer(median(rates)),
    spread(rates),
    `${integer(memory)} MB`,
  ];
}

const measurements = (name: string, reports: readonly Report[]): Measurement[] => [
  {
    name: `${name}/samples_per_second`,
    value: median(reports.map(({ samplesPerSecond }) => samplesPerSecond)),
    unit: 'samples/s',
  },
  { name: `${name}/peak_rss_mb`, value: median(reports.map(({ peakRss }) => peakRss)), unit: 'MB' },
];
