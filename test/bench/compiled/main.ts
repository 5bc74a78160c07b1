/**
 * Compares compiled models with stock ONNX Runtime Web, warm, in one process. All candidates are alive at once, chunks
 * of runs alternate, their order is reversed every round, and the result is the median of the rounds' ratios. Workerd
 * checks every address, as Node does with `--wasm-enforce-bounds-checks`; the script in package.json starts Node with
 * it.
 */
import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import Table from 'cli-table3';
import * as ort from 'onnxruntime-web/wasm';
import { withRoundedWeights } from '../../../exporter/served/round-weights.ts';
import { compile, type CompileOptions } from '../../../training/compile/index.ts';
import { decodeAnyModel, encodeModel, type Graph } from '../../../training/graph/index.ts';
import {
  batchNorm,
  conv2d,
  dense,
  globalAveragePool,
  type Layer,
  networks,
  relu,
} from '../../../training/network/index.ts';
import { start } from '../../../training/program/index.ts';
import { mlp } from '../../edge/fixtures.ts';
import { type Described, networkGraph } from '../../unit/compile/network-graph.ts';
import { describeLoad, describeMachine } from '../machine.ts';
import { type Measurement, median, writeMeasurements } from '../measurement.ts';

const block = (...layers: readonly Layer[]): readonly Layer[] =>
  layers.flatMap((layer) => [layer, batchNorm(), relu()]);
const depthwise = (channels: number, stride = 1): Layer =>
  conv2d(channels, { kernel: 3, padding: 1, groups: channels, stride });
const pointwise = (channels: number): Layer => conv2d(channels, { kernel: 1 });

/** A table of seven columns, two of them categories. */
const penguins: Described = {
  inputShape: [7],
  categories: [0, 3, 0, 0, 0, 0, 2],
  fills: [0.5, 1, 0.2, 2, -3, 0, 1],
  layers: [...block(dense(64), dense(64)), dense(3)],
};

const mobilenet: Described = {
  inputShape: [3, 32, 32],
  layers: [
    ...block(conv2d(16, { kernel: 3, padding: 1 }), depthwise(16), pointwise(32), depthwise(32, 2), pointwise(64)),
    ...block(depthwise(64), pointwise(64), depthwise(64, 2), pointwise(128), depthwise(128), pointwise(128)),
    ...[globalAveragePool(), dense(10)],
  ],
};

const fileOf = (name: string): Promise<Uint8Array> => readFile(`models/${name}/model.onnx`);
const madeUp = (described: Described): Promise<Uint8Array> => Promise.resolve(encodeModel(networkGraph(described), {}));

/** The width of the hidden layers of a dense network whose file has 5 MB. */
const wide = 790;

/** Maps each model's name to its ONNX file. */
const files: Readonly<Record<string, () => Promise<Uint8Array>>> = {
  'mnist-cnn': () => fileOf('mnist-cnn'),
  'mnist-mlp': () => fileOf('mnist-mlp'),
  'mlp-5MB': () => Promise.resolve(mlp({ hidden: wide })),
  penguins: () => madeUp(penguins),
  'mnist-resnet': () => madeUp(networks['mnist-resnet']),
  mobilenet: () => madeUp(mobilenet),
};

interface Candidate {
  readonly name: string;
  readonly run: () => unknown;
  /** The milliseconds of CPU time for a run, by round. */
  readonly times: number[];
}

interface Options {
  readonly only?: readonly string[];
  readonly rounds: string;
  readonly json?: string;
}

async function main({ only, rounds, json }: Options): Promise<void> {
  console.log(`${describeMachine()}, ${describeLoad()}`);
  ort.env.wasm.numThreads = 1;
  const view = new Table({
    head: ['', 'stock', 'compiled', 'of stock', '--fma', 'of stock', 'int8', 'of stock'],
    style: { head: [], border: [] },
  });
  const measurements: Measurement[] = [];
  for (const [name, make] of Object.entries(files)) {
    if (only?.includes(name) === false) continue;
    const candidates = await candidatesOf(await make());
    await measure(candidates, Number(rounds));
    const [stock, ...others] = candidates as [Candidate, ...Candidate[]];
    const cells = others.flatMap((candidate) => {
      const ratio = median(candidate.times.map((time, round) => time / (stock.times[round] ?? NaN)));
      measurements.push({ name: `compiled/${name}/${candidate.name}/warm_of_stock`, value: ratio, unit: '' });
      return [microseconds(candidate), ratio.toFixed(3)];
    });
    view.push([name, microseconds(stock), ...cells]);
  }
  console.log(view.toString());
  if (json !== undefined) await writeMeasurements(json, measurements);
}

const microseconds = ({ times }: Candidate): string => `${(1000 * median(times)).toFixed(1)} µs`;

/**
 * The variants of a compiled model, in the order of the table's columns. `--json` writes its rows under these names.
 */
const variants: Readonly<Record<string, CompileOptions>> = {
  'multiply-add': {},
  fma: { fma: true },
  int8: { weights: 'int8' },
};

async function candidatesOf(file: Uint8Array): Promise<readonly Candidate[]> {
  const { graph } = decodeAnyModel(file);
  const [input, output] = [graph.inputs[0], graph.outputs[0]];
  if (!input || !output) throw new Error('expected an input and an output');
  const shape = input.shape.map((dim) => (typeof dim === 'string' ? 1 : dim));
  const count = shape.reduce((product, size) => product * size, 1);
  const x = Float32Array.from({ length: count }, (_, i) => (count > 100 ? (i * 37) % 256 : i % 2));
  const session = await ort.InferenceSession.create(file, { logSeverityLevel: 4 });
  const candidates: Candidate[] = [
    { name: 'stock', times: [], run: () => session.run({ [input.name]: new ort.Tensor('float32', x, shape) }) },
  ];
  for (const [name, options] of Object.entries(variants)) {
    const program = await compile(await roundedTo(options.weights, file, graph), options);
    const run = start(new WebAssembly.Module(program.wasm.slice()), program);
    candidates.push({ name, times: [], run: () => run({ [input.name]: x }, 1)[output.name] });
  }
  return candidates;
}

/** Rounds the weights as a build does. */
async function roundedTo(type: CompileOptions['weights'], file: Uint8Array, graph: Graph): Promise<Graph> {
  return type === undefined ? graph : decodeAnyModel((await withRoundedWeights(file, type)).bytes).graph;
}

const [warmMs, chunkMs] = [1000, 5];

async function measure(candidates: readonly Candidate[], rounds: number): Promise<void> {
  const chunks = new Map<Candidate, number>();
  for (const candidate of candidates) {
    const runs = await runFor(candidate, warmMs);
    chunks.set(candidate, Math.max(1, Math.round((runs * chunkMs) / warmMs)));
  }
  for (let round = 0; round < rounds; round++) {
    for (const candidate of round % 2 > 0 ? candidates.toReversed() : candidates) {
      await candidate.run();
      const runs = chunks.get(candidate) ?? 1;
      const before = process.cpuUsage();
      for (let i = 0; i < runs; i++) await candidate.run();
      const { user, system } = process.cpuUsage(before);
      candidate.times.push((user + system) / 1000 / runs);
    }
  }
}

/** Runs a candidate for so long. @returns the number of runs */
async function runFor({ run }: Candidate, milliseconds: number): Promise<number> {
  const end = performance.now() + milliseconds;
  let runs = 0;
  for (; performance.now() < end; runs++) await run();
  return runs;
}

await new Command('bench:compiled')
  .option('--only <names...>', `of ${Object.keys(files).join(', ')}`)
  .option('--rounds <number>', 'chunks of each candidate', '200')
  .option('--json <file>', 'where the ratios go, too')
  .action(main)
  .parseAsync();
