/** Measures the cost of monitoring: the same network in two Workers, only one of which counts its requests. */
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { monitorSource, workerSource } from '../../../exporter/command/init-monitor.ts';
import { parseCard, cardBytes } from '../../../exporter/store/card.ts';
import { serveBundle, type Server } from '../../bundle/workerd.ts';
import { type Measurement, median } from '../measurement.ts';
import { type Candidate, interleave } from '../rounds.ts';
import { bundleOf } from './bundle.ts';
import { type Latencies, loadServer } from './load.ts';
import { requests } from './requests.ts';

const root = join(import.meta.dirname, '../../..');

export interface MonitoringOptions {
  readonly model: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUp: number;
}

interface Measured {
  readonly latencies: Latencies;
  /** The milliseconds of workerd's CPU time for a request. */
  readonly cpu: number;
}

export async function benchMonitoring({
  model,
  rounds,
  seconds,
  warmUp,
}: MonitoringOptions): Promise<readonly Measurement[]> {
  const sides: Side[] = [];
  for (const monitor of [false, true]) sides.push(await sideOf(model, monitor));
  try {
    const candidates = (lasting: number): readonly Candidate<Measured>[] =>
      ([1, 16] as const).flatMap((connections) =>
        sides.map(({ name, server }) => ({
          name: `${name}/${connections}`,
          run: () => measured(server, model, connections, lasting),
        })),
      );
    await interleave(candidates(warmUp / 4), 1);
    const results = await interleave(candidates(seconds), rounds);
    const of = (name: string, value: (result: Measured) => number): number =>
      median((results.get(name) ?? []).map(value));
    const compared = (connections: number, value: (result: Measured) => number): number =>
      median(
        (results.get(`monitored/${connections}`) ?? []).map((after, i) => {
          const before = results.get(`unmonitored/${connections}`)?.[i];
          return before ? value(after) / value(before) : NaN;
        }),
      );
    return [
      ...[...results.keys()].flatMap((name) => [
        { name: `worker/${name}/p50_ms`, value: of(name, ({ latencies }) => latencies.p50), unit: 'ms' },
        { name: `worker/${name}/p99_ms`, value: of(name, ({ latencies }) => latencies.p99), unit: 'ms' },
        { name: `worker/${name}/cpu_ms`, value: of(name, ({ cpu }) => cpu), unit: 'ms' },
      ]),
      ...[1, 16].flatMap((connections) => [
        {
          name: `worker/monitored/${connections}/over_p50`,
          value: compared(connections, ({ latencies }) => latencies.p50),
          unit: 'x',
        },
        { name: `worker/monitored/${connections}/over_cpu`, value: compared(connections, ({ cpu }) => cpu), unit: 'x' },
      ]),
      ...sides.map(({ name, bytes }) => ({ name: `worker/${name}/gzip_kB`, value: bytes / 1000, unit: 'kB' })),
    ];
  } finally {
    await Promise.all(sides.map(({ server }) => server.stop()));
  }
}

interface Side {
  readonly name: string;
  readonly bytes: number;
  readonly server: Server;
}

async function sideOf(model: string, monitor: boolean): Promise<Side> {
  const name = monitor ? 'monitored' : 'unmonitored';
  const write = (models: string): void => {
    writeModel(model, join(models, model), monitor);
  };
  const bundle = await bundleOf(name, write, monitor ? monitorSource : workerSource);
  const bytes = sizeOf(bundle);
  const objects = monitor ? { binding: 'DRIFT', className: 'DriftMonitor' } : undefined;
  return { name, bytes, server: await serveBundle(bundle, { objects }) };
}

function writeModel(name: string, folder: string, monitor: boolean): void {
  cpSync(join(root, 'models', name), folder, { recursive: true });
  const path = join(folder, 'card.json');
  const card = { ...parseCard(path, readFileSync(path)), explain: false, engine: 'onnxruntime', monitor } as const;
  writeFileSync(path, cardBytes(card));
}

const sizeOf = (bundle: string): number =>
  readdirSync(bundle)
    .filter((file) => /\.(js|wasm|bin)$/.test(file))
    .reduce((sum, file) => sum + gzipSync(readFileSync(join(bundle, file))).length, 0);

async function measured(server: Server, model: string, connections: number, seconds: number): Promise<Measured> {
  const before = cpuOf(server.pid);
  const latencies = await loadServer(server.url, requests(model).json, connections, seconds);
  return { latencies, cpu: (cpuOf(server.pid) - before) / (latencies.requestsPerSecond * seconds) };
}

/** Returns the CPU milliseconds, which Linux counts in hundredths of a second. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return 10 * (Number(fields[11]) + Number(fields[12]));
}
