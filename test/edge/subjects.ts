/** The runtimes to compare, and the ingredients of images for tests of correctness. */

import { loadRuntime } from '../../exporter/edge/bundle.ts';
import type { Subject } from '../../exporter/edge/cases/cases.ts';
import type { Samples } from '../../exporter/edge/cases/samples.ts';
import type { EdgeImage } from '../../exporter/edge/image.ts';
import type { Ingredients } from '../../exporter/edge/ingredients.ts';
import type { Models } from '../../exporter/edge/runtime/index.ts';
import { shapelessIn } from '../../exporter/edge/shapeless.ts';
import { readStockModule } from '../../exporter/edge/stages/stock-module.ts';

/**
 * Returns ingredients without the optimizer, which does not affect correctness, and without the cache, which would hide
 * errors.
 */
export async function ingredientsOf(models: Models, samples: Samples = {}): Promise<Ingredients> {
  return {
    stock: await readStockModule(),
    models,
    samples,
    optimize: (module) => Promise.resolve(module),
    recall: (_what, _inputs, make) => make(),
    trim: false,
    onStage: () => undefined,
  };
}

export async function startImage({ wasm, whole, stored, manifest }: EdgeImage): Promise<Subject> {
  const runtime = await loadRuntime('unshared');
  const rest = whole && { whole: new WebAssembly.Module(whole) };
  return { ...(await runtime.startImage(new WebAssembly.Module(wasm), manifest, { stored, ...rest })), runtime };
}

/** Starts the stock runtime. */
export async function startReference(models: Models): Promise<Subject> {
  const runtime = await loadRuntime('shared');
  const module = new WebAssembly.Module(await readStockModule());
  const instantiate = (imports: WebAssembly.Imports) => new WebAssembly.Instance(module, imports);
  return { ...(await runtime.startStock(instantiate, models, { shapeless: shapelessIn(models) })), runtime };
}
