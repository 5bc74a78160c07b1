/**
 * `npm run bench:models` measures networks of all sizes on their edge images beside stock ONNX Runtime Web, in raw
 * workerd: fresh processes, the two Workers of a network alternating, medians. It fails where an image is slower than
 * stock when warm.
 */
import { gzipSync } from 'node:zlib';

import Table from 'cli-table3';
import { Command, InvalidArgumentError } from 'commander';

import { Deployment } from '../edge/workerd.ts';
import type { ColdStart, Service } from '../edge/workerd.ts';
import type { Worker } from '../edge/workers.ts';
import { describeLoad, describeMachine } from '../machine.ts';
import { median, writeMeasurements } from '../measurement.ts';
import type { Measurement } from '../measurement.ts';
import { interleave } from '../rounds.ts';
import { networks } from './networks.ts';
import type { Network } from './networks.ts';
import { workersOf } from './workers.ts';

interface Options {
  readonly rounds: number;
  readonly only?: readonly string[];
  readonly json?: string;
}

type Result = ColdStart & Service;
type Kind = 'edge' | 'stock';

const figures = {
  'first answer, ms': ({ firstAnswer }: Result) => firstAnswer,
  'first request CPU, ms': ({ firstRequestCpu }: Result) => firstRequestCpu,
  'memory, MB': ({ resident }: Result) => resident / 1e6,
  'warm, ms': ({ warm }: Result) => warm,
} as const;

/** Holds all figures of one network: those of the image, and their ratios to stock's. */
interface Measured {
  readonly network: Network;
  readonly build: number;
  readonly gzip: Readonly<Record<Kind, number>>;
  readonly results: Readonly<Record<Kind, readonly Result[]>>;
}

async function main({ rounds, only, json }: Options): Promise<void> {
  console.log(`${describeMachine()}, ${describeLoad()}`);
  const measured: Measured[] = [];
  for (const network of await networks(only)) {
    process.stderr.write(`\r${network.name.padEnd(30)}`);
    measured.push(await measure(network, rounds));
  }
  console.log(table(measured));
  if (json !== undefined) await writeMeasurements(json, measured.flatMap(measurementsOf));
  for (const one of measured) {
    if (warmRatio(one) <= 1) continue;
    console.error(
      `${one.network.name}: expected to be no slower than stock, got ${warmRatio(one).toFixed(2)} times its time`,
    );
    process.exitCode = 1;
  }
}

async function measure(network: Network, rounds: number): Promise<Measured> {
  const { edge, stock, build } = await workersOf(network);
  await using stack = new AsyncDisposableStack();
  const candidates = [];
  // Large networks run less often: a chunk of runs should take about a twentieth of a second.
  const effort = Math.min(1, 2e5 / network.file.length);
  for (const [name, worker] of [
    ['edge', edge],
    ['stock', stock],
  ] as const) {
    const deployment = stack.use(await Deployment.create(worker));
    const run = async () => ({ ...(await deployment.coldStart()), ...(await deployment.service(effort)) });
    candidates.push({ name, run });
  }
  const results = await interleave<Result>(candidates, rounds);
  const both = { edge: results.get('edge') ?? [], stock: results.get('stock') ?? [] };
  checkAnswers(network, both.edge[0]?.answer, both.stock[0]?.answer);
  return { network, build, gzip: { edge: gzipBytes(edge), stock: gzipBytes(stock) }, results: both };
}

const gzipBytes = ({ files }: Worker): number =>
  Object.values(files).reduce((total, content) => total + gzipSync(content).length, 0);

/**
 * Requires equal answers where the weights are not rounded. The build has compared a model with rounded weights with
 * the rounded file.
 */
function checkAnswers({ name, weights }: Network, edge: string | undefined, stock: string | undefined): void {
  if (weights === 'float32' && edge !== stock) throw new Error(`${name}: expected ${stock ?? ''}, got ${edge ?? ''}`);
}

/** Returns the median of the rounds' ratios: what slows the machine down slows both. */
function ratio({ results: { edge, stock } }: Measured, figure: (result: Result) => number): number {
  return median(edge.map((result, i) => figure(result) / figure(stock[i] ?? result)));
}

const warmRatio = (one: Measured): number => ratio(one, figures['warm, ms']);

function table(measured: readonly Measured[]): string {
  const heads = [
    'file, MB',
    'build, s',
    'gzip, MB',
    '× stock',
    ...Object.keys(figures).flatMap((name) => [name, '× stock']),
  ];
  const view = new Table({ head: ['', ...heads], style: { head: [], border: [] } });
  for (const one of measured) {
    const { network, build, gzip, results } = one;
    view.push([
      network.name,
      (network.file.length / 1e6).toFixed(4),
      build.toFixed(1),
      (gzip.edge / 1e6).toFixed(2),
      (gzip.edge / gzip.stock).toFixed(2),
      ...Object.values(figures).flatMap((figure) => {
        const value = median(results.edge.map(figure));
        return [value < 1 ? value.toFixed(4) : value.toFixed(1), ratio(one, figure).toFixed(2)];
      }),
    ]);
  }
  return view.toString();
}

function measurementsOf({ network, build, gzip, results }: Measured): readonly Measurement[] {
  const row = (figure: string, value: number, unit: string): Measurement => ({
    name: `models/${network.name}/${figure}`,
    value,
    unit,
  });
  return [
    row('file_bytes', network.file.length, 'B'),
    row('build_s', build, 's'),
    ...(['edge', 'stock'] as const).flatMap((kind) => [
      row(`gzip_bytes/${kind}`, gzip[kind], 'B'),
      ...Object.entries(figures).map(([name, figure]) => {
        const [what = '', unit = ''] = name.split(', ');
        return row(`${what.replaceAll(' ', '_')}/${kind}`, median(results[kind].map(figure)), unit);
      }),
    ]),
  ];
}

function positiveInteger(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError('expected a whole number above 0');
  return Number(text);
}

await new Command('bench:models')
  .option('--rounds <number>', 'measurements of each Worker', positiveInteger, 5)
  .option('--only <names...>', 'networks to measure')
  .option('--json <file>', 'where the figures go, too')
  .action(main)
  .parseAsync();
