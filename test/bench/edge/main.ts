/**
 * Compares the edge image with what a user would deploy instead, in raw workerd: fresh processes, all Workers
 * interleaved in every round, medians.
 */

import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';

import Table from 'cli-table3';
import { Command, InvalidArgumentError } from 'commander';

import { describeLoad, describeMachine } from '../machine.ts';
import { median, writeMeasurements } from '../measurement.ts';
import type { Measurement } from '../measurement.ts';
import { interleave } from '../rounds.ts';
import { deployed, growing } from './edge-images.ts';
import { Deployment } from './workerd.ts';
import type { ColdStart, Service } from './workerd.ts';
import { peers } from './workers.ts';
import { wholes } from './whole.ts';
import type { Worker } from './workers.ts';

interface Options {
  readonly model: string;
  readonly rounds: number;
  readonly only?: readonly string[];
  readonly growth: boolean;
  readonly json?: string;
}

type Result = ColdStart & Service;

async function main({ model, rounds, only, growth, json }: Options): Promise<void> {
  console.log(`${describeMachine()}, ${describeLoad()}`);
  const file = await readFile(model);
  const recipes = { ...peers(file), ...deployed(file), ...wholes(), ...(growth ? growing() : {}) };
  const workers: Worker[] = [];
  for (const [name, make] of Object.entries(recipes)) {
    if (only?.includes(name) ?? true) workers.push(await make());
  }
  const results = await measure(workers, rounds);
  checkAnswers(results);
  const measurements = workers.flatMap((worker) => [
    ...rows(worker, results.get(worker.name) ?? []),
    ...beside(worker, results),
  ]);
  console.log(table(workers, measurements));
  if (json !== undefined) await writeMeasurements(json, measurements);
}

async function measure(workers: readonly Worker[], rounds: number): Promise<ReadonlyMap<string, readonly Result[]>> {
  await using stack = new AsyncDisposableStack();
  const candidates = [];
  for (const worker of workers) {
    const deployment = stack.use(await Deployment.create(worker));
    const run = async () => ({ ...(await deployment.coldStart()), ...(await deployment.service()) });
    candidates.push({ name: worker.name, run });
  }
  return await interleave(candidates, rounds, (name, _, round) =>
    process.stderr.write(`\rround ${round} ${name.padEnd(20)}`),
  );
}

/**
 * Requires the Workers that run the same model to agree: exactly where they run ONNX Runtime unchanged, otherwise
 * within a tolerance.
 */
function checkAnswers(results: ReadonlyMap<string, readonly Result[]>): void {
  const same = [...results].filter(([name]) => /^(stock|tfjs)-|^compiled|^image-fma$|^bn-edge(-trimmed)?$/.test(name));
  const [expected = []] = same.map(([, [first]]) => logitsOf(first));
  for (const [name, [first]] of same) {
    const logits = logitsOf(first);
    const error = Math.max(...logits.map((logit, i) => Math.abs(logit - (expected[i] ?? NaN))));
    // Rounded weights give other answers; a build measures how far these are off.
    const tolerance = name.endsWith('int8') ? 0.5 : /^(tfjs|compiled|image-fma)/.test(name) ? 1e-3 : 0;
    if (!(error <= tolerance)) throw new Error(`${name}: expected ${expected.join()}, got ${logits.join()}`);
  }
}

function logitsOf(result: Result | undefined): readonly number[] {
  return JSON.parse(result?.answer ?? '[]') as number[];
}

function rows({ name, files }: Worker, results: readonly Result[]): readonly Measurement[] {
  const row = (figure: string, value: number, unit: string) => ({ name: `edge/${name}/${figure}`, value, unit });
  const middle = (figure: (result: Result) => number) => median(results.map(figure));
  return [
    row(
      'gzip_bytes',
      Object.values(files).reduce((total, content) => total + gzipSync(content).length, 0),
      'B',
    ),
    row(
      'first_answer_ms',
      middle(({ firstAnswer }) => firstAnswer),
      'ms',
    ),
    row(
      'first_request_cpu_ms',
      middle(({ firstRequestCpu }) => firstRequestCpu),
      'ms',
    ),
    row(
      'startup_cpu_ms',
      middle(({ startupCpu }) => startupCpu),
      'ms',
    ),
    row(
      'rss_mb',
      middle(({ resident }) => resident / 1e6),
      'MB',
    ),
    row(
      'warm_ms',
      middle(({ warm }) => warm),
      'ms',
    ),
    row(
      'warm_cpu_ms',
      middle(({ warmCpu }) => warmCpu),
      'ms',
    ),
    row('first_answer_cpu_ms', middle(firstAnswerCpu), 'ms'),
    ...asked(results).map((ask) => row(`first_${ask}_cpu_ms`, middle(firstCpu(ask)), 'ms')),
  ];
}

/** Returns the names of the Worker's requests, where it serves more than inferences. */
const asked = ([first]: readonly Result[]): readonly string[] => Object.keys(first?.firstCpu ?? {});

const firstCpu =
  (ask: string) =>
  ({ firstCpu }: Result): number =>
    firstCpu[ask] ?? NaN;

const firstAnswerCpu = ({ startupCpu, firstRequestCpu }: Result): number => startupCpu + firstRequestCpu;

/**
 * Compares with the floor and the stock runtime, where they are measured, round by round: a disturbance affects all
 * Workers of a round.
 */
function beside({ name }: Worker, results: ReadonlyMap<string, readonly Result[]>): readonly Measurement[] {
  const own = results.get(name) ?? [];
  const paired = (other: string, figure: string, unit: string, compare: (one: Result, two: Result) => number) => {
    const others = results.get(other) ?? [];
    const values = own.flatMap((one, round) => (others[round] ? [compare(one, others[round])] : []));
    return values.length > 0 ? [{ name: `edge/${name}/${figure}`, value: median(values), unit }] : [];
  };
  return [
    ...paired('stock-lazy', 'warm_of_stock', '', (one, two) => one.warmCpu / two.warmCpu),
    ...paired('hello', 'first_answer_cpu_over_hello_ms', 'ms', (one, two) => firstAnswerCpu(one) - firstAnswerCpu(two)),
    ...asked(own).flatMap((ask) =>
      paired('hello', `first_${ask}_cpu_over_hello_ms`, 'ms', (one, two) => firstCpu(ask)(one) - firstAnswerCpu(two)),
    ),
  ];
}

function table(workers: readonly Worker[], measurements: readonly Measurement[]): string {
  const figures = [...new Set(measurements.map(({ name }) => name.split('/')[2] ?? ''))];
  const cell = (worker: Worker, figure: string) => {
    const value = measurements.find(({ name }) => name === `edge/${worker.name}/${figure}`)?.value;
    if (value === undefined) return '';
    return value < 1 ? value.toFixed(3) : value.toFixed(value < 1000 ? 1 : 0);
  };
  const view = new Table({ head: ['', ...figures], style: { head: [], border: [] } });
  for (const worker of workers) view.push([worker.name, ...figures.map((figure) => cell(worker, figure))]);
  return view.toString();
}

function positiveInteger(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError('expected a whole number above 0');
  return Number(text);
}

await new Command('bench:edge')
  .option('--model <file>', 'an exported mnist-cnn', 'models/mnist-cnn/model.onnx')
  .option('--rounds <number>', 'measurements of each Worker', positiveInteger, 9)
  .option('--only <names...>', 'Workers to measure')
  .option('--growth', 'also images of 0.1 to 20 MB and of 1 to 16 models', false)
  .option('--json <file>', 'where the figures go, too')
  .action(main)
  .parseAsync();
