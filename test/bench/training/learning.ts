/** Studies that train to the end: the accuracy, the time to reach it, and whether memory grows. */
import { median, type Measurement } from '../measurement.ts';
import { interleave } from '../rounds.ts';
import { multiclass } from '../../../training/objective/index.ts';
import { type NetworkName, networks } from '../../../training/network/index.ts';
import { type Bench, ours, runJob, type Study, usual } from './bench.ts';
import type { EngineName } from './engines.ts';
import type { Job, LearningTask, Report } from './job.ts';
import { integer, percent, printTable, progress } from './print.ts';

interface Course {
  readonly network: NetworkName;
  readonly batchSize: number;
  readonly epochs: number;
  readonly seed: number;
}

const learningJob = ({ threads }: Bench, { network, ...config }: Course, task: Omit<LearningTask, 'kind'>): Job => ({
  network: networks[network],
  config: { ...usual, ...config },
  threads,
  data: 'mnist',
  dataCopies: 1,
  task: { kind: 'learning', ...task },
});

/** Two runs of one engine that differ only in the order of their samples differ by about 0.1 points after an epoch. */
const accuracyTolerance = 0.004;

/** Compares the test accuracy after one epoch from the same weights in the same order. */
export const accuracy: Study = async (bench) => {
  const runs = (['mnist-mlp', 'mnist-cnn'] as const)
    .flatMap((network) => bench.engines.map((engine) => ({ network, engine })))
    .map((run) => ({ ...run, name: `training/${run.network}/64/test_accuracy/${run.engine}` }))
    .filter(({ name }) => bench.wanted(name));
  const results = await interleave(
    runs.map(({ network, engine, name }) => {
      const job = learningJob(bench, { network, batchSize: 64, epochs: 1, seed: 1 }, { evaluationsPerEpoch: 1 });
      return { name, run: () => runJob(bench, engine, job) };
    }),
    1,
    (name, report) => {
      progress(`${name}  ${percent(lastAccuracy(report))}`);
    },
  );
  const measurements = [...results].map(([name, [report]]) => ({
    name,
    value: 100 * (report ? lastAccuracy(report) : NaN),
    unit: '%',
  }));
  printTable(
    ['after one epoch', 'test accuracy'],
    measurements.map(({ name, value }) => [name, percent(value / 100)]),
  );
  requireEqualAccuracy(measurements);
  return measurements;
};

const lastAccuracy = ({ evaluations }: Report): number => evaluations.at(-1)?.testAccuracy ?? NaN;

function requireEqualAccuracy(measurements: readonly Measurement[]): void {
  for (const { name, value } of measurements) {
    const own = measurements.find((other) => other.name === name.replace(/[^/]+$/, ours));
    if (own && !(Math.abs(own.value - value) <= 100 * accuracyTolerance)) {
      throw new Error(`${name}: expected ${own.value} % within ${100 * accuracyTolerance} points, got ${value} %`);
    }
  }
}

/** The settings that reach the accuracies in the README; `npm run train` takes them as options. */
const recipe = {
  batchSize: 64,
  optimizer: 'adamw',
  schedule: 'one-cycle',
  weightDecay: 0.05,
  ema: 0.999,
  bnMomentum: 0.9,
  objective: multiclass({ labelSmoothing: 0.1 }),
} as const;

const recipeOf: { readonly [N in NetworkName]: { readonly epochs: number; readonly learningRate: number } } = {
  'mnist-mlp': { epochs: 20, learningRate: 0.004 },
  'mnist-cnn': { epochs: 15, learningRate: 0.006 },
  'mnist-resnet': { epochs: 10, learningRate: 0.006 },
};

const recipeSeeds = 3;

/** Measures the test accuracy at the end of long training, and the time that it takes. */
export const recipes: Study = async (bench) => {
  const runs = (Object.keys(recipeOf) as NetworkName[])
    .map((network) => ({ network, name: `training/${network}/recipe` }))
    .filter(({ name }) => bench.wanted(name));
  const results = await interleave(
    runs.map(({ network, name }) => ({ name, run: (seed) => runJob(bench, ours, recipeJob(bench, network, seed)) })),
    recipeSeeds,
    (name, report, seed) => {
      progress(`seed ${seed}  ${name}  ${percent(lastAccuracy(report))} after ${integer(trainingTime(report))} s`);
    },
  );
  const measurements = [...results].flatMap(([name, reports]): Measurement[] => [
    { name: `${name}/test_accuracy`, value: 100 * mean(reports.map(lastAccuracy)), unit: '%' },
    { name: `${name}/seconds`, value: Math.max(...reports.map(trainingTime)), unit: 's' },
  ]);
  printTable(
    [`mean of ${recipeSeeds} seeds`, '', ''],
    measurements.map(({ name, value, unit }) => [name, value.toFixed(2), unit]),
  );
  return measurements;
};

const recipeJob = ({ threads }: Bench, network: NetworkName, seed: number): Job => ({
  network: networks[network],
  config: { ...recipe, ...recipeOf[network], seed },
  threads,
  data: 'mnist',
  dataCopies: 1,
  task: { kind: 'learning', evaluationsPerEpoch: 1 },
});

const trainingTime = ({ evaluations }: Report): number => evaluations.at(-1)?.seconds ?? NaN;
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

const target = 0.99;
const seeds = 5;
/** The engines in this race; TensorFlow.js would need an hour. */
const raced: readonly EngineName[] = [ours, 'pytorch'];

/**
 * Measures the seconds of training until mnist-cnn first classifies 99 % of the test images correctly, evaluated four
 * times an epoch.
 */
export const toAccuracy: Study = async (bench) => {
  const racers = raced.filter((engine) => bench.engines.includes(engine));
  const results = await interleave(
    racers.map((engine) => ({
      name: `training/mnist-cnn/64/seconds_to_99_percent/${engine}`,
      run: async (seed) => secondsTo(target, await runJob(bench, engine, raceJob(bench, seed))),
    })),
    seeds,
    (name, seconds, seed) => {
      progress(`seed ${seed}  ${name}  ${seconds.toFixed(1)}`);
    },
  );
  const measurements = [...results].map(([name, seconds]) => ({ name, value: median(seconds), unit: 's' }));
  for (const { name, value } of measurements) console.log(`${name}: median of ${seeds} seeds ${value.toFixed(1)} s`);
  // JSON has no infinity, and an accuracy that was not reached gives no measurement.
  return measurements.filter(({ value }) => Number.isFinite(value));
};

const raceJob = (bench: Bench, seed: number): Job =>
  learningJob(
    bench,
    { network: 'mnist-cnn', batchSize: 64, epochs: usual.epochs, seed },
    { evaluationsPerEpoch: 4, target },
  );

const secondsTo = (accuracy: number, { evaluations }: Report): number =>
  evaluations.find(({ testAccuracy }) => testAccuracy >= accuracy)?.seconds ?? Infinity;

const growthEpochs = 20;
/** The epoch by which every buffer has its final size. */
const settledEpoch = 2;

/** Measures the resident memory over 20 epochs of mnist-cnn at batch 256. */
export const memoryGrowth: Study = async (bench) => {
  const course = { network: 'mnist-cnn', batchSize: 256, epochs: growthEpochs, seed: 1 } as const;
  const report = await runJob(bench, ours, learningJob(bench, course, { evaluationsPerEpoch: 1 }));
  const rss = report.evaluations.map((evaluation) => evaluation.rss);
  console.log(`resident memory after each epoch, MB: ${rss.map(integer).join(' ')}`);
  console.log(`test accuracy ${percent(lastAccuracy(report))}`);
  const growth = (rss.at(-1) ?? NaN) - (rss[settledEpoch - 1] ?? NaN);
  return [
    { name: 'training/mnist-cnn/256/rss_growth_mb', value: growth, unit: 'MB' },
    { name: 'training/mnist-cnn/256/peak_rss_mb', value: report.peakRss, unit: 'MB' },
  ];
};
