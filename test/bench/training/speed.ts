/** Measures the samples per second of steady training, beside other engines that do the same job. */
import { median, type Measurement } from '../measurement.ts';
import { type Candidate, interleave } from '../rounds.ts';
import { layersOf, planNetwork } from '../../../training/network/index.ts';
import { type Bench, ours, runJob, speedJob, type Study } from './bench.ts';
import { besideBusyProcess } from './busy.ts';
import { type EngineName, engines } from './engines.ts';
import { type Case, caseName, cases } from './networks.ts';
import { integer, printTable, progress, spread } from './print.ts';
import type { Report } from './job.ts';

type Results = ReadonlyMap<string, readonly Report[]>;

/** The engine that all others are compared with, in its fastest setting. */
const peer = 'pytorch';

/**
 * The tolerance for the loss of the first steps, from the same weights on the same samples: engines differ by rounding,
 * which Adam amplifies.
 */
const lossTolerance = 5e-3;

const nameOf = (each: Case, engine: EngineName): string => `${caseName(each)}/samples_per_second/${engine}`;

export const speed: Study = async (bench) => {
  const results = await interleave(candidates(bench), bench.rounds, (name, report, round) => {
    const rates = `${integer(report.samplesPerSecond)}, ${integer(report.samplesPerCpuSecond)} a CPU second`;
    progress(`round ${round}/${bench.rounds}  ${name}  ${rates} (${report.engine})`);
  });
  if (results.size === 0) return [];
  printTable(
    ['network, batch', 'engine', 'samples/s', 'min – max', 'per CPU second', `× ${peer}`, 'first losses'],
    cases.flatMap((each) => bench.engines.flatMap((engine) => row(each, engine, results))),
  );
  return [
    ...cases.flatMap((each) => bench.engines.flatMap((engine) => speeds(each, engine, results))),
    ...memory(results),
  ];
};

function candidates(bench: Bench): readonly Candidate<Report>[] {
  return cases
    .flatMap((each) => bench.engines.map((engine) => ({ each, engine, name: nameOf(each, engine) })))
    .filter(({ each, engine, name }) => engines[engine].takes(each) && bench.wanted(name))
    .map(({ each, engine, name }) => {
      const run = () => runJob(bench, engine, speedJob(bench, each));
      return { name, run: each.underLoad ? () => besideBusyProcess(run) : run };
    });
}

function row(each: Case, engine: EngineName, results: Results): string[][] {
  const reports = results.get(nameOf(each, engine));
  if (!reports) return [];
  const rates = reports.map(({ samplesPerSecond }) => samplesPerSecond);
  const own = results.get(nameOf(each, ours));
  const ratio = ofPeer(each, engine, results);
  return [
    [
      `${each.network.name}, ${each.batchSize}${each.underLoad ? ', under load' : ''}`,
      `${engine}: ${reports[0]?.engine.split(', ').slice(1).join(', ') ?? ''}`,
      integer(median(rates)),
      spread(rates),
      integer(median(reports.map(({ samplesPerCpuSecond }) => samplesPerCpuSecond))),
      ratio === undefined ? '' : `${ratio.toFixed(2)} ×`,
      own && own !== reports ? agreement(each, own, reports) : '',
    ],
  ];
}

/** Returns the median of the rounds' ratios: the machine changes least within a round. */
function ofPeer(each: Case, engine: EngineName, results: Results): number | undefined {
  const [reports, others] = [results.get(nameOf(each, engine)), results.get(nameOf(each, peer))];
  if (!reports || !others || engine === peer) return undefined;
  return median(
    reports.map(({ samplesPerSecond }, round) => samplesPerSecond / (others[round]?.samplesPerSecond ?? NaN)),
  );
}

function agreement({ network }: Case, [own]: readonly Report[], [other]: readonly Report[]): string {
  // Every engine draws its own random numbers.
  if (layersOf(planNetwork(network)).some(({ layer }) => layer.kind === 'dropout')) return 'by other masks';
  const [a, b] = [own?.firstLosses ?? [], other?.firstLosses ?? []];
  // A slow engine may have taken fewer steps than are compared.
  const shared = Math.min(a.length, b.length);
  const worst = Math.max(...a.slice(0, shared).map((loss, i) => Math.abs(loss - (b[i] ?? NaN))));
  if (!(worst <= lossTolerance)) {
    throw new Error(`the engines do not do the same job: expected losses within ${lossTolerance}, got ${worst}`);
  }
  return `within ${worst.toExponential(0)}`;
}

function speeds(each: Case, engine: EngineName, results: Results): Measurement[] {
  const reports = results.get(nameOf(each, engine));
  if (!reports) return [];
  const name = caseName(each);
  const value = (of: (report: Report) => number) => median(reports.map(of));
  const ratio = engine === ours ? ofPeer(each, engine, results) : undefined;
  return [
    { name: nameOf(each, engine), value: value(({ samplesPerSecond }) => samplesPerSecond), unit: 'samples/s' },
    {
      name: `${name}/samples_per_cpu_second/${engine}`,
      value: value(({ samplesPerCpuSecond }) => samplesPerCpuSecond),
      unit: 'samples/s',
    },
    ...(ratio === undefined ? [] : [{ name: `${name}/of_${peer}`, value: ratio, unit: '×' }]),
  ];
}

function memory(results: Results): Measurement[] {
  const reports = results.get('training/mnist-cnn/256/samples_per_second/bn-edge-native');
  if (!reports) return [];
  const value = median(reports.map(({ peakRss }) => peakRss));
  console.log(`mnist-cnn at batch 256 needs ${integer(value)} MB of memory at most.`);
  return [{ name: 'training/mnist-cnn/256/peak_rss_mb', value, unit: 'MB' }];
}
