/** Samples a second in steady training, beside other engines that do the same job. */
import { median, type Measurement } from '../measurement.ts';
import { type Candidate, interleave } from '../rounds.ts';
import { type NetworkName, networks } from '../../../training/network/index.ts';
import { type Bench, ours, runJob, speedJob, type Study } from './bench.ts';
import type { EngineName } from './engines.ts';
import { integer, printTable, progress, spread } from './print.ts';
import type { Report } from './job.ts';

interface Case {
  readonly network: NetworkName;
  readonly batchSize: number;
}

type Results = ReadonlyMap<string, readonly Report[]>;

const cases: readonly Case[] = (['mnist-mlp', 'mnist-cnn'] as const).flatMap((network) =>
  [64, 256].map((batchSize) => ({ network, batchSize })),
);

/** The loss of the first steps from the same weights on the same samples; engines differ by rounding, which Adam amplifies. */
const lossTolerance = 5e-3;

const nameOf = ({ network, batchSize }: Case, engine: EngineName): string =>
  `training/${network}/${batchSize}/samples_per_second/${engine}`;

export const speed: Study = async (bench) => {
  const results = await interleave(candidates(bench), bench.rounds, (name, report, round) => {
    progress(`round ${round}/${bench.rounds}  ${name}  ${integer(report.samplesPerSecond)} (${report.engine})`);
  });
  if (results.size === 0) return [];
  printTable(
    ['network, batch', 'engine', 'samples/s', 'min – max', `${ours} is faster`, 'first losses'],
    cases.flatMap((each) => bench.engines.flatMap((engine) => row(each, engine, results))),
  );
  return [...speeds(results), ...memory(results)];
};

function candidates(bench: Bench): readonly Candidate<Report>[] {
  return cases
    .flatMap((each) => bench.engines.map((engine) => ({ each, engine, name: nameOf(each, engine) })))
    .filter(({ name }) => bench.wanted(name))
    .map(({ each: { network, batchSize }, engine, name }) => ({
      name,
      run: () => runJob(bench, engine, speedJob(bench, networks[network], batchSize)),
    }));
}

function row(each: Case, engine: EngineName, results: Results): string[][] {
  const reports = results.get(nameOf(each, engine));
  if (!reports) return [];
  const rates = reports.map(({ samplesPerSecond }) => samplesPerSecond);
  const compared = engine === ours ? undefined : results.get(nameOf(each, ours));
  return [
    [
      `${each.network}, ${each.batchSize}`,
      engine,
      integer(median(rates)),
      spread(rates),
      compared ? `${advantage(compared, reports).toFixed(2)} ×` : '',
      compared ? agreement(compared, reports) : '',
    ],
  ];
}

/** The median of the rounds' ratios: within a round the machine was the most alike. */
const advantage = (own: readonly Report[], others: readonly Report[]): number =>
  median(own.map(({ samplesPerSecond }, round) => samplesPerSecond / (others[round]?.samplesPerSecond ?? NaN)));

function agreement([own]: readonly Report[], [other]: readonly Report[]): string {
  const [a, b] = [own?.firstLosses ?? [], other?.firstLosses ?? []];
  // A slow engine may have taken fewer steps than are compared.
  const shared = Math.min(a.length, b.length);
  const worst = Math.max(...a.slice(0, shared).map((loss, i) => Math.abs(loss - (b[i] ?? NaN))));
  if (!(worst <= lossTolerance)) {
    throw new Error(`the engines do not do the same job: expected losses within ${lossTolerance}, got ${worst}`);
  }
  return `within ${worst.toExponential(0)}`;
}

const speeds = (results: Results): Measurement[] =>
  [...results].map(([name, reports]) => ({
    name,
    value: median(reports.map(({ samplesPerSecond }) => samplesPerSecond)),
    unit: 'samples/s',
  }));

function memory(results: Results): Measurement[] {
  const reports = results.get(nameOf({ network: 'mnist-cnn', batchSize: 256 }, ours));
  if (!reports) return [];
  const value = median(reports.map(({ peakRss }) => peakRss));
  console.log(`mnist-cnn at batch 256 needs ${integer(value)} MB of memory at most.`);
  return [{ name: 'training/mnist-cnn/256/peak_rss_mb', value, unit: 'MB' }];
}
