/** Edge images of the deployed model, and of models that show how images grow. */

import { loadRuntime } from '../../../exporter/edge/bundle.ts';
import { emitImage } from '../../../exporter/edge/emit.ts';
import { compileProven } from '../../../exporter/edge/engine.ts';
import { makeImage } from '../../../exporter/edge/image.ts';
import type { Ingredients } from '../../../exporter/edge/ingredients.ts';
import { optimize } from '../../../exporter/edge/stages/optimize.ts';
import type { Models } from '../../../exporter/edge/runtime/index.ts';
import type { Samples } from '../../../exporter/edge/cases/samples.ts';
import { readStockModule } from '../../../exporter/edge/stages/stock-module.ts';
import { withRoundedWeights } from '../../../exporter/served/round-weights.ts';
import type { CompileOptions } from '../../../training/compile/index.ts';
import { loadMnist } from '../../../training/data/index.ts';
import { cnn, mlp } from '../../edge/fixtures.ts';
import { edgeWorker } from './workers.ts';
import type { Recipes, Worker } from './workers.ts';

/** Maps the size of the resulting file to the width of the hidden layers. */
const widths = { '0.1MB': 30, '1MB': 240, '5MB': 790, '20MB': 1_870 };

const counts = [1, 4, 16];

export function deployed(model: Uint8Array): Recipes {
  const models = { 'mnist-cnn': model };
  return {
    'bn-edge': () => specialise('bn-edge', models),
    'bn-edge-trimmed': () => specialise('bn-edge-trimmed', models, { trim: true }),
    'image-fma': () => specialise('image-fma', models, { fma: true }),
    compiled: () => compiled('compiled', model),
    'compiled-fma': () => compiled('compiled-fma', model, { fma: true }),
    'compiled-int8': () => compiled('compiled-int8', model, { weights: 'int8' }),
  };
}

/** `bn-edge-5MB` is the image of one model of 5 MB, `bn-edge-4-models` the image of four models of 0.8 MB. */
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

/** @throws Error where fused sums were requested and the image has none */
async function specialise(
  name: string,
  models: Models,
  { trim = false, fma = false }: Partial<Pick<Ingredients, 'trim' | 'fma'>> = {},
): Promise<Worker> {
  const image = await makeImage({
    stock: await readStockModule(),
    models,
    samples: await digitsFor(models),
    trim,
    fma,
    optimize,
    recall: (_what, _inputs, make) => make(),
    onStage: () => undefined,
  });
  if (image.fusion && 'reason' in image.fusion) throw new Error(`${name}: ${image.fusion.reason}`);
  return edgeWorker(name, await emitImage(image, {}, [], []));
}

/** Compiles the model into a program. */
async function compiled(name: string, model: Uint8Array, options: CompileOptions = {}): Promise<Worker> {
  const session = 'mnist-cnn';
  const { weights = 'float32' } = options;
  const { bytes } = weights === 'float32' ? { bytes: model } : await withRoundedWeights(model, weights);
  const made = await compileProven(await loadRuntime('shared'), session, bytes, { ...options, samples: undefined });
  if ('reason' in made) throw new Error(made.reason);
  return edgeWorker(name, await emitImage(undefined, { [session]: made }, [], []));
}

const digits = 100;

/** Returns the first images of MNIST in the input shape of each model. */
async function digitsFor(models: Models): Promise<Samples> {
  const { inputs } = (await loadMnist({ seed: 0 })).test;
  const data = Uint8Array.from(inputs.subarray(0, digits * 784));
  const samples = (name: string) => ({
    where: 'MNIST',
    shape: name.startsWith('mlp') ? [digits, 784] : [digits, 1, 28, 28],
    data,
  });
  return Object.fromEntries(Object.keys(models).map((name) => [name, samples(name)]));
}
