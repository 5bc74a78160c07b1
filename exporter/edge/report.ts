/**
 * What a user wants to know of an image before deploying it, with stock beside it. Times and memory are those of a fresh
 * Node process each; a Worker's are measured by the benchmark.
 */

import { spawn } from 'node:child_process';
import { gzipSync } from 'node:zlib';

import { bundle } from './bundle.ts';
import { emitImage, emitStock } from './emit.ts';
import type { EmittedFiles } from './emit.ts';
import type { EdgeImage } from './image.ts';
import type { Models } from './runtime/index.ts';

/** Printed by the measured process as JSON. Milliseconds and bytes. */
interface Measured {
  /** Compiling, instantiating and, for stock, creating sessions. */
  readonly start: number;
  readonly firstRun: number;
  /** Median of many runs. */
  readonly warmRun: number;
  /** Resident memory of the process after the first run. */
  readonly resident: number;
}

/** Label, stock, image. */
type Row = [string, string, string];

export async function comparisonRows(stock: Uint8Array, models: Models, image: EdgeImage): Promise<Row[]> {
  const [stockFiles, imageFiles] = [await emitStock(stock, models), await emitImage(image)];
  const [before, after] = [await measureStock(stock, models), await measureImage(image)];
  const row = (label: string, format: (value: number) => string, from: number, to: number): Row => {
    return [label, format(from), format(to)];
  };
  return [
    row('functions kept', String, image.functions.stock, image.functions.kept),
    row(
      'size',
      megabytes,
      deployedBytes(stockFiles, (file) => file),
      deployedBytes(imageFiles, (file) => file),
    ),
    row('size, gzip', megabytes, deployedBytes(stockFiles, gzipSync), deployedBytes(imageFiles, gzipSync)),
    row('start-up', milliseconds, before.start, after.start),
    row('first run', milliseconds, before.firstRun, after.firstRun),
    row('warm run', milliseconds, before.warmRun, after.warmRun),
    row('process memory', megabytes, before.resident, after.resident),
  ];
}

/** Of the files that a Worker gets, as they are or compressed. Types are not deployed. */
function deployedBytes(files: EmittedFiles, transform: (file: Buffer) => Buffer): number {
  const deployed = Object.entries(files).filter(([name]) => !name.endsWith('.d.mts'));
  return deployed.reduce((total, [, file]) => total + transform(Buffer.from(file)).length, 0);
}

async function measureImage({ wasm, manifest }: EdgeImage): Promise<Measured> {
  const start = `startImage(new WebAssembly.Module(files[0]), ${JSON.stringify(manifest)})`;
  return measure(await bundle(measurement(start), 'unshared'), [wasm]);
}

async function measureStock(stock: Uint8Array, models: Models): Promise<Measured> {
  const start = `startStock(
    (imports) => new WebAssembly.Instance(new WebAssembly.Module(files[0]), imports),
    Object.fromEntries(files.slice(1).map((file, i) => [i, file])),
  )`;
  return measure(await bundle(measurement(start), 'shared'), [stock, ...Object.values(models)]);
}

/** Program of a measured process. It finds \`files\` in the message that its parent sends. */
const measurement = (start: string) => `
  import { makeFeeds } from '../feeds.ts';
  import { sessionsOf, startImage, startStock } from './index.ts';
  import * as runtime from './index.ts';
  const timed = async (action) => { const t = performance.now(); return [await action(), performance.now() - t]; };
  process.once('message', async (files) => {
    const [started, start] = await timed(() => ${start});
    const [session] = sessionsOf(started).values();
    const feeds = makeFeeds(runtime, session.inputs, { all: 1 }, 'image');
    const [, firstRun] = await timed(() => session.run(feeds));
    const resident = process.memoryUsage.rss();
    const times = [];
    for (let i = 0; i < 1000; i++) times.push((await timed(() => session.run(feeds)))[1]);
    const warmRun = times.sort((a, b) => a - b)[500];
    process.send({ start, firstRun, warmRun, resident }, () => process.disconnect());
  });
`;

function measure(program: string, files: readonly Uint8Array[]): Promise<Measured> {
  const child = spawn(process.execPath, ['--input-type=module'], {
    stdio: ['pipe', 'inherit', 'inherit', 'ipc'],
    serialization: 'advanced',
  });
  child.stdin?.end(program);
  child.send(files);
  return new Promise((resolve, reject) => {
    child.once('message', (measured) => {
      resolve(measured as unknown as Measured);
    });
    child.once('error', reject);
    child.once('exit', (code) => {
      reject(new Error(`internal: measuring process ended with code ${String(code)}`));
    });
  });
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(2)} MB`;
}

function milliseconds(value: number): string {
  return `${value < 1 ? value.toFixed(3) : value.toFixed(1)} ms`;
}
