/** Runtimes to compare, and what an image is made with where only its being right matters. */

import { loadRuntime } from '../../exporter/edge/bundle.ts';
import type { Subject } from '../../exporter/edge/cases/cases.ts';
import type { Samples } from '../../exporter/edge/cases/samples.ts';
import type { EdgeImage, Ingredients } from '../../exporter/edge/image.ts';
import type { Models } from '../../exporter/edge/runtime/index.ts';
import { shapelessIn } from '../../exporter/edge/shapeless.ts';
import { readStockModule } from '../../exporter/edge/stages/stock-module.ts';

/** Everything but the optimizer, which has nothing to do with being right, and memory, which would hide what is wrong. */
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

/** The stock runtime. */
export async function startReference(models: Models): Promise<Subject> {
  const runtime = await loadRuntime('shared');
  const module = new WebAssembly.Module(await readStockModule());
  const instantiate = (imports: WebAssembly.Imports) => new WebAssembly.Instance(module, imports);
  return { ...(await runtime.startStock(instantiate, models, { shapeless: shapelessIn(models) })), runtime };
}
