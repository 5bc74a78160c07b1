/** Studies that train to the end: how well, how soon, and whether memory grows on the way. */
import { median, type Measurement } from '../measurement.ts';
import { interleave } from '../rounds.ts';
import { type NetworkName, networks } from '../../../training/network/index.ts';
import { type Bench, ours, runJob, type Study, trainingDefaults } from './bench.ts';
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
  config: { ...trainingDefaults, ...config },
  threads,
  dataCopies: 1,
  task: { kind: 'learning', ...task },
});

/** Two runs of one engine that differ by their order of samples alone differ by about 0.1 points after an epoch. */
const accuracyTolerance = 0.004;

/** Test accuracy after one epoch from the same weights in the same order. */
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

const target = 0.99;
const seeds = [1, 2, 3, 4, 5] as const;
/** TensorFlow.js would need an hour. */
const raced: readonly EngineName[] = [ours, 'pytorch'];

/** Seconds of training until mnist-cnn first classifies 99 % of the test images correctly, looked at four times an epoch. */
export const toAccuracy: Study = async (bench) => {
  const measurements: Measurement[] = [];
  const racers = bench.engines.filter((engine) => raced.includes(engine));
  const seconds = new Map<EngineName, number[]>(racers.map((engine) => [engine, []]));
  for (const seed of seeds) {
    const course = { network: 'mnist-cnn', batchSize: 64, epochs: trainingDefaults.epochs, seed } as const;
    const job = learningJob(bench, course, { evaluationsPerEpoch: 4, target });
    for (const engine of seed % 2 === 1 ? racers : racers.toReversed()) {
      const reached = (await runJob(bench, engine, job)).evaluations.find(({ testAccuracy }) => testAccuracy >= target);
      seconds.get(engine)?.push(reached?.seconds ?? Infinity);
      progress(`seed ${seed}  ${engine}  ${reached ? `${reached.seconds.toFixed(1)} s` : 'not reached'}`);
    }
  }
  for (const [engine, values] of seconds) {
    const value = median(values);
    console.log(
      `mnist-cnn to ${percent(target)}: ${value.toFixed(1)} s with ${engine}, median of ${values.length} seeds`,
    );
    // JSON has no infinity: a median that was not reached is no measurement.
    if (Number.isFinite(value))
      measurements.push({ name: `training/mnist-cnn/64/seconds_to_99_percent/${engine}`, value, unit: 's' });
  }
  return measurements;
};

const growthEpochs = 20;
/** By then every buffer has its size. */
const settledEpoch = 2;

/** Resident memory over 20 epochs of mnist-cnn at batch 256. */
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
