/** Edge images of the deployed model, and of models that show how images grow. */

import { makeImage } from '../../../exporter/edge/image.ts';
import { optimize } from '../../../exporter/edge/stages/optimize.ts';
import type { Models } from '../../../exporter/edge/runtime/index.ts';
import { mnistSamples } from '../../../exporter/edge/cases/samples.ts';
import { readStockModule } from '../../../exporter/edge/stages/stock-module.ts';
import { cnn, mlp } from '../../edge/fixtures.ts';
import { edgeWorker } from './workers.ts';
import type { Recipes, Worker } from './workers.ts';

/** Hidden layers' width by size of the file that results. */
const widths = { '0.1MB': 30, '1MB': 240, '5MB': 790, '20MB': 1_870 };

const counts = [1, 4, 16];

export function deployed(model: Uint8Array): Recipes {
  const models = { 'mnist-cnn': model };
  return {
    'bn-edge': () => specialise('bn-edge', models),
    'bn-edge-trimmed': () => specialise('bn-edge-trimmed', models, true),
  };
}

/** `bn-edge-5MB` is one model of 5 MB, `bn-edge-4-models` four of 0.8 MB in one image. */
export function growing(): Recipes {
  const sizes = Object.entries(widths).map(([size, hidden]) => {
    const name = `bn-edge-${size}`;
    return [name, () => specialise(name, { mlp: mlp({ hidden }) })] as const;
  });
  const numbers = counts.map((count) => {
    const name = `bn-edge-${count}-models`;
    const models = Array.from({ length: count }, (_, i) => [`cnn-${i}`, cnn({ seed: i + 1 })] as const);
    return [name, () => specialise(name, Object.fromEntries(models))] as const;
  });
  return Object.fromEntries([...sizes, ...numbers]);
}

/** Verified on a few samples only: the build does it on all. */
async function specialise(name: string, models: Models, trim = false): Promise<Worker> {
  const { size, values } = await mnistSamples();
  const image = await makeImage({
    stock: await readStockModule(),
    models,
    samples: { size, values: values.subarray(0, 100 * size) },
    trim,
    optimize,
    recall: (_what, _inputs, make) => make(),
    onStage: () => undefined,
  });
  return edgeWorker(name, image);
}
