/** `npm run bench:worker -- --help` */
import { Command } from 'commander';
import Table from 'cli-table3';
import { positive, wholeNumber } from '../../../exporter/command/option-values.ts';
import { runCommand } from '../../../exporter/command/run-command.ts';
import { buildBundle, serveBundle } from '../../bundle/workerd.ts';
import { describeLoad, describeMachine, isBusy } from '../machine.ts';
import { median, type Measurement, writeMeasurements } from '../measurement.ts';
import { interleave, type Candidate } from '../rounds.ts';
import { buildFixturesBundle, buildMixedBundle } from './bundle.ts';
import { fuzz } from './fuzz.ts';
import { loadServer, type HttpRequest, type Latencies } from './load.ts';
import { benchMonitoring } from './monitoring.ts';
import { benchPictures, picturesAtOnce, preparations, timePicture } from './pictures.ts';
import { requests } from './requests.ts';
import { BATCH, buildRowsBundle, rowRequests } from './rows.ts';
import { type Sample, soak, type SoakResult } from './soak.ts';

interface Flags {
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUp: number;
  readonly soak?: number;
  readonly fuzz?: number;
  readonly pictures?: boolean;
  readonly rows?: boolean;
  readonly monitor?: boolean;
  readonly json?: string;
}

const MODEL = 'mnist-cnn';
const CONNECTIONS = [1, 16] as const;
/** The successive runs of the bare session that one request times, so that the cost of the request itself is small. */
const RUNS = 100;

const command = new Command('bench:worker')
  .description('Measure the Worker over HTTP, in raw workerd without a development proxy.')
  .option('--rounds <n>', 'each measures everything once, in alternating order; medians count', wholeNumber(1), 5)
  .option('--seconds <n>', 'that a measurement lasts', positive, 2)
  .option('--warm-up <n>', 'seconds of load before the first', positive, 2)
  .option('--soak <minutes>', 'instead: mixed traffic at 16 connections, every answer compared', positive)
  .option('--rows', 'instead: rows by name beside the tensor that they become')
  .option('--monitor', 'instead: the network with and without monitoring, in two Workers')
  .option('--fuzz <requests>', 'instead: broken requests on every route, memory watched', wholeNumber(100))
  .option('--pictures', 'instead: 12 megapixels and hostile pictures, time of each and memory of six at once')
  .option('--json <file>', 'write the measurements as [{name, value, unit}]')
  .action(run);

async function run(flags: Flags): Promise<void> {
  console.log(`${describeMachine()}\n${describeLoad()} at the start`);
  const measurements = await measure(flags);
  if (flags.json !== undefined) await writeMeasurements(flags.json, measurements);
  console.log(`${describeLoad()} at the end`);
}

function measure(flags: Flags): Promise<readonly Measurement[]> {
  if (flags.pictures) return measurePictures();
  if (flags.rows) return measureRows(flags);
  if (flags.monitor) return measureMonitoring(flags);
  if (flags.fuzz !== undefined) return measureFuzz(flags.fuzz);
  return flags.soak === undefined ? measureSpeed(flags) : measureSoak(flags.soak);
}

/** Measures one row and a batch, each as rows and as the tensor. */
async function measureRows({ rounds, seconds, warmUp }: Flags): Promise<readonly Measurement[]> {
  if (isBusy()) console.log('Others use this machine: do not believe these numbers.');
  const server = await serveBundle(await buildRowsBundle());
  try {
    const candidates = (lasting: number): readonly Candidate<Latencies>[] =>
      [1, BATCH].flatMap((count) =>
        Object.entries(rowRequests(count)).map(([form, request]) => ({
          name: `${form}/${count}`,
          run: () => loadServer(server.url, request, 1, lasting),
        })),
      );
    await interleave(candidates(warmUp / 4), 1);
    const results = await interleave(candidates(seconds), rounds);
    const p50 = (name: string): number => median((results.get(name) ?? []).map((result) => result.p50));
    const measurements = [
      ...[...results.keys()].map((name) => ({ name: `worker/${name}/p50_ms`, value: p50(name), unit: 'ms' })),
      { name: 'worker/rows/1/over_tensor', value: p50('rows/1') - p50('tensor/1'), unit: 'ms' },
      { name: `worker/rows/${BATCH}/over_tensor`, value: p50(`rows/${BATCH}`) / p50(`tensor/${BATCH}`), unit: 'x' },
    ];
    print(measurements);
    return measurements;
  } finally {
    await server.stop();
  }
}

async function measureMonitoring(flags: Flags): Promise<readonly Measurement[]> {
  if (isBusy()) console.log('Others use this machine: do not believe these numbers.');
  const measurements = await benchMonitoring({ ...flags, model: MODEL });
  print(measurements);
  return measurements;
}

/** @throws Error at the end where six pictures took more of the isolate than the image leaves */
async function measurePictures(): Promise<readonly Measurement[]> {
  const measurements: Measurement[] = [];
  const note = (name: string, value: number, unit: string): void => {
    console.log(`${name}: ${value.toFixed(1)} ${unit}`);
    measurements.push({ name: `worker/pictures/${name}`, value, unit });
  };
  const pictures = await benchPictures();
  const server = await serveBundle(buildBundle(), { isInspected: true });
  try {
    for (const { name, kind, bytes } of pictures) {
      for (const [use, preparation] of Object.entries(preparations)) {
        const { first, again, refusal } = timePicture(bytes, preparation);
        if (refusal !== undefined && use === 'photo') console.log(`${name}: ${refusal}`);
        note(`${name}/${use}/first`, first, 'ms');
        note(`${name}/${use}/again`, again, 'ms');
      }
      if (kind === 'refused') continue;
      const memory = await picturesAtOnce(server, `/v2/models/${MODEL}/classify`, bytes);
      note(`${name}/six_at_once/isolate`, memory.isolate / MIB, 'MiB');
      note(`${name}/six_at_once/process`, memory.process / MIB, 'MiB');
    }
  } finally {
    await server.stop();
  }
  const worst = measurements.find(({ unit, value }) => unit === 'MiB' && value > BESIDE_IMAGE);
  if (worst) throw new Error(`${worst.name}: expected at most ${BESIDE_IMAGE} MiB, got ${worst.value.toFixed(1)}`);
  return measurements;
}

/** The MiB that pictures may take of an isolate's 128. */
const BESIDE_IMAGE = 90;

/** The MiB by which an isolate's live memory may grow between the two passes, and the process in its last half. */
const GROWTH = 2;
const RESIDENT_GROWTH = 10;

/**
 * Limits the old generation to so many MiB. V8 otherwise lets garbage grow as long as there is memory, which would hide
 * a leak.
 */
const GARBAGE = '--max-old-space-size=24';

/** @throws Error at the end where a request had no answer, failed, or is now answered differently, or memory grew */
async function measureFuzz(count: number): Promise<readonly Measurement[]> {
  const bundle = await buildFixturesBundle();
  const server = await serveBundle(bundle, { isInspected: true, vars: { DOCS: true }, v8Flags: [GARBAGE] });
  try {
    const { families, failures, changed, resident, live } = await fuzz(server, count);
    if (failures.length > 0) throw new Error(failures.join('\n'));
    if (changed > 0) throw new Error(`${changed} answers are others than before`);
    const quarter = (n: number): number => median(resident.slice(n * 25, (n + 1) * 25)) / MIB;
    const alive = live.map(({ heap, buffers, wasm }) => (heap + buffers + wasm) / MIB);
    const measurements = [
      ...Object.entries(families).map(([family, value]) => ({ name: `answers/${family}xx`, value, unit: '1' })),
      ...['once', 'twice'].map((at, i) => ({ name: `live/${at}`, value: alive[i] ?? NaN, unit: 'MiB' })),
      ...[0, 1, 2, 3].map((n) => ({ name: `resident/quarter_${n + 1}`, value: quarter(n), unit: 'MiB' })),
    ];
    print(measurements);
    const [early = NaN, late = NaN] = alive;
    if (!(late < early + GROWTH))
      throw new Error(`live: expected at most ${GROWTH} MiB more at the end, got ${late - early}`);
    const grown = quarter(3) - quarter(2);
    if (!(grown < RESIDENT_GROWTH))
      throw new Error(`resident: expected at most ${RESIDENT_GROWTH} MiB more in the last quarter, got ${grown}`);
    return measurements.map(({ name, ...rest }) => ({ name: `worker/fuzz/${name}`, ...rest }));
  } finally {
    await server.stop();
  }
}

/** @throws Error at the end where an answer was wrong, or the isolate took more than the platform's limit */
async function measureSoak(minutes: number): Promise<readonly Measurement[]> {
  const server = await serveBundle(await buildMixedBundle(), { isInspected: true });
  try {
    const { requests, bad, uploads, brokenOff, failures, samples, live } = await soak(server, 16, minutes * 60);
    if (failures.length > 0) throw new Error(failures.join('\n'));
    const beside = `${uploads} uploads of 8 MiB and ${brokenOff} that broke off half-way`;
    console.log(`${requests} requests, ${bad} of them bad, beside ${beside}: every answer as expected`);
    const measurements = [{ name: 'requests', value: requests, unit: '1' }, ...memoryOf(samples, live)];
    print(measurements);
    const peak = peakOf(samples, live);
    if (peak > ISOLATE_LIMIT) throw new Error(`isolate: expected at most ${ISOLATE_LIMIT} bytes, got ${peak}`);
    return measurements.map(({ name, ...rest }) => ({ name: `worker/soak/${name}`, ...rest }));
  } finally {
    await server.stop();
  }
}

const peakOf = (samples: readonly Sample[], live: SoakResult['live']): number =>
  Math.max(...samples.map(({ heap, buffers }) => heap + buffers)) + live[1].wasm;

const MIB = 1024 * 1024;
/** The memory limit of an isolate: https://developers.cloudflare.com/workers/platform/limits/#memory */
const ISOLATE_LIMIT = 128 * MIB;

/**
 * Returns the medians of both halves and the peak of what includes garbage, and the live memory at half time and in the
 * end.
 */
function memoryOf(samples: readonly Sample[], live: SoakResult['live']): readonly Measurement[] {
  const mib = (name: string, bytes: number): Measurement => ({ name, value: bytes / MIB, unit: 'MiB' });
  const half = samples.length / 2;
  return [
    ...(['heap', 'buffers', 'resident'] as const).flatMap((part) => {
      const values = samples.map((sample) => sample[part]);
      return [
        mib(`${part}/first_half`, median(values.slice(0, half))),
        mib(`${part}/second_half`, median(values.slice(half))),
        mib(`${part}/peak`, Math.max(...values)),
      ];
    }),
    ...(['heap', 'buffers', 'wasm'] as const).flatMap((part) => [
      mib(`live/${part}/half_time`, live[0][part]),
      mib(`live/${part}/end`, live[1][part]),
    ]),
    mib('isolate/peak', peakOf(samples, live)),
  ];
}

async function measureSpeed({ rounds, seconds, warmUp }: Flags): Promise<readonly Measurement[]> {
  if (isBusy()) console.log('Others use this machine: do not believe these numbers.');
  const servers = await Promise.all([
    serveBundle(buildBundle()),
    serveBundle(buildBundle('test/bench/worker/baseline/wrangler.toml')),
  ]);
  const [worker, baseline] = servers;
  try {
    const candidates = candidatesOf(worker.url, baseline.url, seconds);
    await interleave(candidatesOf(worker.url, baseline.url, warmUp / candidates.length), 1);
    const measurements = measurementsOf(await interleave(candidates, rounds));
    print(measurements);
    return measurements;
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}

function candidatesOf(worker: string, baseline: string, seconds: number): readonly Candidate<Latencies>[] {
  const known = requests(MODEL);
  const load = (name: string, url: string, request: HttpRequest, connections: number): Candidate<Latencies> => ({
    name: `${name}/${connections}`,
    run: () => loadServer(url, request, connections, seconds),
  });
  return [
    ...CONNECTIONS.flatMap((connections) => [
      ...Object.entries(known).map(([input, request]) => load(input, worker, request, connections)),
      load('answer-only', baseline, { ...known.json, path: '/answer' }, connections),
      load('answer-and-run', baseline, { ...known.json, path: '/runs/1' }, connections),
    ]),
    load('runs', baseline, { ...known.json, path: `/runs/${RUNS}` }, 1),
  ];
}

/**
 * Returns the medians over the rounds, and compares one JSON request with its least cost. `over_least` is the ratio to
 * an answer after one run of the bare session in the same request. `over_sum` is the ratio to an answer plus one of
 * many successive runs. No Worker reaches that, as the `over_sum` of answer-and-run shows: a run finds its caches warm
 * only directly after another run, and workerd never finds its own warm after a run.
 */
function measurementsOf(results: ReadonlyMap<string, readonly Latencies[]>): readonly Measurement[] {
  const of = (name: string, value: (result: Latencies) => number): number =>
    median((results.get(name) ?? []).map(value));
  const p50 = (name: string): number => of(name, (result) => result.p50);
  const served = [...results.keys()].filter((name) => name !== 'runs/1');
  const bareRun = (p50('runs/1') - p50('answer-only/1')) / RUNS;
  return [
    ...served.flatMap((name) => [
      { name: `worker/${name}/requests_per_second`, value: of(name, (r) => r.requestsPerSecond), unit: '1/s' },
      { name: `worker/${name}/p50_ms`, value: p50(name), unit: 'ms' },
      { name: `worker/${name}/p99_ms`, value: of(name, (r) => r.p99), unit: 'ms' },
    ]),
    { name: 'worker/bare-run-in-a-row/p50_ms', value: bareRun, unit: 'ms' },
    { name: 'worker/json/1/over_least', value: p50('json/1') / p50('answer-and-run/1'), unit: 'x' },
    { name: 'worker/json/1/over_sum', value: p50('json/1') / (p50('answer-only/1') + bareRun), unit: 'x' },
    {
      name: 'worker/answer-and-run/1/over_sum',
      value: p50('answer-and-run/1') / (p50('answer-only/1') + bareRun),
      unit: 'x',
    },
  ];
}

function print(measurements: readonly Measurement[]): void {
  const style = { head: [], border: [], compact: true };
  const table = new Table({ head: ['', 'value', 'unit'], colAligns: ['left', 'right', 'left'], style });
  const digits = new Intl.NumberFormat('en', { maximumSignificantDigits: 4 });
  const shown = (value: number): string =>
    Number.isInteger(value) ? value.toLocaleString('en') : digits.format(value);
  table.push(...measurements.map(({ name, value, unit }) => [name, shown(value), unit]));
  console.log(table.toString());
}

await runCommand(command);
