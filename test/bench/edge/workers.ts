/** The Workers to compare: bundled, with the files that they import. One folder each, as they would be deployed. */

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';
import type { Plugin } from 'esbuild';

import { emitImage } from '../../../exporter/edge/emit.ts';
import type { EdgeImage } from '../../../exporter/edge/image.ts';
import { readStockModule } from '../../../exporter/edge/stages/stock-module.ts';
import { tfjsWeights } from './tfjs-weights.ts';

/** Files by name; `worker.mjs` is the entry. */
export interface Worker {
  readonly name: string;
  readonly files: Readonly<Record<string, Uint8Array | string>>;
}

const sources = fileURLToPath(new URL('./workers/', import.meta.url));
const { resolve } = createRequire(import.meta.url);
const tfjsModule = '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm';

/** How to make each Worker, by name. */
export type Recipes = Readonly<Record<string, () => Promise<Worker>>>;

/** The floor and the peers, for one model file. */
export function peers(model: Uint8Array): Recipes {
  const stock = async (name: string) =>
    bundleWorker(name, { 'stock.wasm': await readStockModule(), 'model.bin': model });
  const tfjs = (name: string, files: Worker['files']) => {
    const { layout, weights } = tfjsWeights(model);
    return bundleWorker(name, { 'weights.bin': weights, ...files }, { 'layout.json': JSON.stringify(layout) });
  };
  return {
    hello: () => bundleWorker('hello', {}),
    'stock-lazy': () => stock('stock-lazy'),
    'stock-module-scope': () => stock('stock-module-scope'),
    'tfjs-cpu': () => tfjs('tfjs-cpu', {}),
    'tfjs-wasm': async () => tfjs('tfjs-wasm', { 'tfjs.wasm': await readFile(resolve(tfjsModule)) }),
  };
}

export async function edgeWorker(name: string, image: EdgeImage): Promise<Worker> {
  const { 'image.mjs': module, 'image.wasm': wasm, 'wasm.workerd.mjs': loader } = await emitImage(image, [], []);
  if (typeof module !== 'string' || typeof loader !== 'string' || typeof wasm === 'string' || !wasm)
    throw new Error('internal: unexpected files');
  const generated = { 'image.mjs': module, 'wasm.workerd.mjs': loader };
  return { ...(await bundleWorker('edge', { 'image.wasm': wasm }, generated)), name };
}

/** @param generated sources that exist in memory only, by the name they are imported under */
async function bundleWorker(
  name: string,
  files: Worker['files'],
  generated: Readonly<Record<string, string>> = {},
): Promise<Worker> {
  const { outputFiles } = await build({
    entryPoints: [`${sources}${name}.mjs`],
    bundle: true,
    write: false,
    minify: true,
    format: 'esm',
    target: 'es2024',
    platform: 'browser',
    external: ['*.wasm', '*.bin'],
    // The Emscripten glue takes itself to be in Node where there is a process, as in a Worker of today.
    define: { 'import.meta.url': '""', process: 'undefined', 'globalThis.process': 'undefined' },
    plugins: [inMemory(generated), nodeModules],
  });
  return { name, files: { 'worker.mjs': outputFiles.map(({ text }) => text).join(''), ...files } };
}

function inMemory(sources: Readonly<Record<string, string>>): Plugin {
  return {
    name: 'in-memory',
    setup(api) {
      api.onResolve({ filter: /^#wasm$/ }, () => ({ path: 'wasm.workerd.mjs', namespace: 'in-memory' }));
      api.onResolve({ filter: /^\.\// }, ({ path }) => {
        return path.slice(2) in sources ? { path: path.slice(2), namespace: 'in-memory' } : undefined;
      });
      api.onLoad({ filter: /.*/, namespace: 'in-memory' }, ({ path }) => ({
        contents: sources[path] ?? '',
        loader: path.endsWith('.json') ? 'json' : 'js',
      }));
    },
  };
}

/** Imported by branches for Node only, which no Worker takes. */
const nodeModules: Plugin = {
  name: 'node-modules',
  setup(api) {
    const filter = /^(node:.*|module|worker_threads|fs|path|url|util|perf_hooks|os|crypto)$/;
    api.onResolve({ filter }, ({ path }) => ({ path, namespace: 'absent' }));
    api.onLoad({ filter: /.*/, namespace: 'absent' }, () => ({ contents: 'export default {}' }));
  },
};
