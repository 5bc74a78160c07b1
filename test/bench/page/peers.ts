/** Runs other libraries that train in a browser, each in a worker of a page of its own in the same browser. */
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import { epochBatches, createRandom } from '../../../training/data/index.ts';
import { elementCount } from '../../../training/arrays/index.ts';
import { type Plan, planNetwork } from '../../../training/network/index.ts';
import type { State } from '../../../training/trainer/index.ts';
import { initialTensors, networkOf } from '../../../worker/page/train/engine/networks.ts';
import { type Settings, sides } from '../../../worker/page/train/engine/settings.ts';
import type { Subject } from '../../../worker/page/train/engine/subject.ts';

const folder = import.meta.dirname;
const modules = join(folder, 'node_modules');

export const peerNames = ['tfjs', 'jax'] as const;
export type PeerName = (typeof peerNames)[number];

interface Problem {
  readonly inputs: Float32Array<ArrayBuffer>;
}

export interface Peers {
  /**
   * @returns the losses of the first step
   * @throws Error with the library's message
   */
  readonly open: (
    name: PeerName,
    problem: Problem,
  ) => Promise<{ readonly page: Page; readonly losses: readonly number[] }>;
  readonly stop: () => void;
}

export async function servePeers(browser: Browser): Promise<Peers> {
  const code = new Map<string, string>(
    await Promise.all(
      peerNames.map(async (name) => [`/${name}.js`, await bundled(join(folder, 'peers', `${name}.mjs`))] as const),
    ),
  );
  let samples = new Float32Array();
  const server = createServer(({ url = '' }, reply) => {
    const wasm = join(modules, '@tensorflow/tfjs-backend-wasm/dist', url);
    const script = code.get(url);
    if (url === '/inputs') reply.writeHead(200).end(new Uint8Array(samples.buffer));
    else if (script !== undefined) reply.writeHead(200, { 'content-type': 'text/javascript' }).end(script);
    else if (url.endsWith('.wasm') && existsSync(wasm))
      reply.writeHead(200, { 'content-type': 'application/wasm' }).end(readFileSync(wasm));
    else reply.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>peers</title>');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    open: async (name, { inputs, ...problem }) => {
      const page = await browser.newPage();
      await page.goto(`http://127.0.0.1:${port}/`);
      await page.evaluate(`worker = new Worker('/${name}.js', { type: 'module' });
        ask = (order) => new Promise((resolve, reject) => {
          worker.onmessage = ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data));
          worker.onerror = ({ message }) => reject(new Error(message));
          worker.postMessage(order);
        });`);
      samples = inputs;
      const { losses } = await page.evaluate<{ readonly losses: readonly number[] }>(`(async () => {
        const revived = (_, value) =>
          value?.float32 ? Float32Array.from(value.float32) : value?.int32 ? Int32Array.from(value.int32) : value;
        const problem = JSON.parse(${JSON.stringify(JSON.stringify(problem, plain))}, revived);
        const inputs = new Float32Array(await (await fetch('/inputs')).arrayBuffer());
        return ask({ kind: 'begin', problem: { ...problem, inputs } });
      })()`);
      return { page, losses };
    },
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function plain(_: string, value: unknown): unknown {
  if (value instanceof Float32Array) return { float32: Array.from(value) };
  return value instanceof Int32Array ? { int32: Array.from(value) } : value;
}

async function bundled(entry: string): Promise<string> {
  const { outputFiles } = await build({
    ...{ entryPoints: [entry], bundle: true, format: 'esm', platform: 'browser', minify: true, write: false },
    nodePaths: [modules],
    logLevel: 'error',
  });
  return outputFiles[0]?.text ?? '';
}

/** Returns the exact tensors, samples and mini-batches of the page, with inputs that are already normalized. */
export function problemOf(settings: Settings, subject: Subject) {
  const { train } = subject;
  const { batchSize, seed, learningRate, bnMomentum: momentum, scale } = settings;
  const networks = sides.map((side) => {
    const plan = planNetwork(networkOf(side, settings, subject));
    return { plan, tensors: initialTensors(plan, createRandom(seed), train, scale) };
  });
  const order = [1, 2, 3].flatMap((epoch) => [...epochBatches(createRandom(seed), epoch, train.count, batchSize)]);
  const [first] = networks;
  return {
    ...{ batchSize, learningRate, momentum, epsilon: 1e-5, classes: train.classes.length },
    inputs: normalized(train.inputs, first?.tensors),
    inputSize: elementCount(train.inputShape),
    labels: train.labels,
    order: Int32Array.from(order),
    networks: networks.map(({ plan, tensors }) => layersOf(plan, tensors)),
  };
}

/** Normalizes by a single μ and σ, as for greyscale pictures. */
function normalized(inputs: Subject['train']['inputs'], tensors: State | undefined): Float32Array<ArrayBuffer> {
  const [mean = 0, deviation = 1] = ['input.mean', 'input.std'].map((name) => tensors?.get(name)?.data[0]);
  return Float32Array.from(inputs, (value) => (value - mean) / deviation);
}

function layersOf({ layers }: Plan, tensors: State): readonly object[] {
  const of = (name: string) => tensors.get(name);
  return layers.flatMap(({ name, layer }, i) => {
    if (layer.kind !== 'dense') return [];
    const next = layers[i + 1];
    const norm = next?.layer.kind === 'batchNorm' && {
      gamma: of(`${next.name}.weight`),
      beta: of(`${next.name}.bias`),
      mean: of(`${next.name}.running_mean`),
      variance: of(`${next.name}.running_var`),
    };
    return [{ weight: of(`${name}.weight`), bias: of(`${name}.bias`), norm: norm || undefined }];
  });
}
