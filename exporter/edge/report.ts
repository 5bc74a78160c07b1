/**
 * Compares an image with stock, as a user wants to know before deploying it. Times and memory are measured in a fresh
 * Node process each, which imports the image as a program does. Those of a Worker are measured by the benchmark.
 */

import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import { runNode, withScratch } from '../../training/process/index.ts';
import { arrays } from '../../training/program/index.ts';
import { buildImage } from './build-image.ts';
import type { BuiltImage } from './built.ts';

/** The measured process prints this as JSON, in milliseconds and bytes. */
interface Measured {
  /** `start` is the time for compiling, instantiating, warming up and, with stock, creating sessions. */
  readonly start: number;
  /** `warmRun` is the median of many runs. */
  readonly warmRun: number;
  /** `resident` is the resident memory of the process. */
  readonly resident: number;
}

type Row = [label: string, stock: string, image: string];

/**
 * Returns the rows of a table that compares an image with stock.
 *
 * @param models the folder that the image was built from
 */
export const comparisonRows = (models: string, image: BuiltImage): Promise<Row[]> =>
  withScratch('stock', async (folder) => {
    const stock = await buildImage({ models, out: folder, stock: true });
    const [before, after] = [await measure(folder), await measure(image.out)];
    const rows: [string, (value: number) => string, number, number][] = [
      ['size', megabytes, sizeOf(stock), sizeOf(image)],
      ['size, gzip', megabytes, stock.bytes.gzip, image.bytes.gzip],
      ['start-up', milliseconds, before.start, after.start],
      ['warm run', milliseconds, before.warmRun, after.warmRun],
      ['process memory', megabytes, before.resident, after.resident],
    ];
    const functions: Row[] = image.functions
      ? [['functions kept', String(image.functions.stock), String(image.functions.kept)]]
      : [];
    return [...functions, ...rows.map(([label, format, from, to]): Row => [label, format(from), format(to)])];
  });

const sizeOf = ({ bytes: { wasm, module, weights } }: BuiltImage): number => wasm + module + weights;

/** Maps element types to the names of arrays in Node. */
const constructors = Object.entries(arrays).map(([dtype, { name }]) => `${dtype}: ${name}`);

/** Program of the measured process. It runs the first model with zeros. */
const program = `
  const start = performance.now();
  const { sessions } = await import(process.argv[1]);
  const started = performance.now() - start;
  const [session] = sessions.values();
  const arrays = { ${constructors.join(', ')} };
  const feeds = Object.fromEntries(session.inputs.map(({ name, dtype, shape: free }) => {
    const shape = free.map((size) => (size > 0 ? size : 1));
    return [name, { dtype, shape, data: new arrays[dtype](shape.reduce((a, b) => a * b, 1)) }];
  }));
  const times = [];
  for (let i = 0; i < 1000; i++) {
    const before = performance.now();
    session.run(feeds);
    times.push(performance.now() - before);
  }
  const [warmRun, resident] = [times.sort((a, b) => a - b)[500], process.memoryUsage.rss()];
  console.log(JSON.stringify({ start: started, warmRun, resident }));
`;

async function measure(folder: string): Promise<Measured> {
  const image = pathToFileURL(resolve(folder, 'image.mjs')).href;
  const { stdout } = await runNode(['--input-type=module', '-e', program, image]);
  return JSON.parse(stdout) as Measured;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(2)} MB`;
}

function milliseconds(value: number): string {
  return `${value < 1 ? value.toFixed(3) : value.toFixed(1)} ms`;
}
