/** Makes the two Workers of a network: on its edge image, and on stock ONNX Runtime Web. */

import { fileURLToPath } from 'node:url';

import { emitImage } from '../../../exporter/edge/emit.ts';
import { makeImage } from '../../../exporter/edge/image.ts';
import { optimize } from '../../../exporter/edge/stages/optimize.ts';
import { readStockModule } from '../../../exporter/edge/stages/stock-module.ts';
import { readOnnx } from '../../../exporter/served/prepare.ts';
import { withRoundedWeights } from '../../../exporter/served/round-weights.ts';
import { bundleWorker, imageParts } from '../edge/workers.ts';
import type { Worker } from '../edge/workers.ts';
import type { Network } from './networks.ts';

export interface BuiltWorkers {
  readonly edge: Worker;
  readonly stock: Worker;
  /** The seconds from the file to the proven image. */
  readonly build: number;
}

const sources = fileURLToPath(new URL('./workers/', import.meta.url));

export async function workersOf(network: Network): Promise<BuiltWorkers> {
  const start = performance.now();
  const image = await imageOf(network);
  const build = (performance.now() - start) / 1000;
  const inputs = { 'inputs.json': JSON.stringify(inputsOf(network)) };
  const { modules, generated } = imageParts(image);
  const [edge, stock] = [
    await bundleWorker(`${sources}edge.mjs`, modules, { ...generated, ...inputs }),
    await bundleWorker(
      `${sources}stock.mjs`,
      { 'stock.wasm': await readStockModule(), 'model.bin': network.file },
      inputs,
    ),
  ];
  return {
    edge: { name: `${network.name}/edge`, files: edge },
    stock: { name: `${network.name}/stock`, files: stock },
    build,
  };
}

async function imageOf({ name, file, weights }: Network) {
  const rounded = weights === 'float32' ? undefined : await withRoundedWeights(file, weights);
  const image = await makeImage({
    stock: await readStockModule(),
    models: { [name]: rounded?.bytes ?? file },
    samples: {},
    apart: rounded ? [{ sessions: [name], weights: rounded.weights }] : [],
    trim: false,
    optimize,
    recall: (_what, _inputs, make) => make(),
    onStage: () => undefined,
  });
  return emitImage(image, {}, [], []);
}

/** Makes inputs with every free dimension of size 1. */
const inputsOf = ({ name, file }: Network) =>
  readOnnx(name, file).inputs.map((input) => ({
    name: input.name,
    shape: (input.dims ?? []).map((size) => (typeof size === 'number' ? size : 1)),
  }));
