/**
 * The Workers to compare: bundled, with the files that they import, each in a folder of its own as for a deployment.
 */

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';
import type { Plugin } from 'esbuild';

import type { EmittedFiles } from '../../../exporter/edge/emitted-files.ts';
import type { HttpRequest } from '../worker/load.ts';
import { readStockModule } from '../../../exporter/edge/stages/stock-module.ts';
import { tfjsWeights } from './tfjs-weights.ts';

/** A Worker's files by name; `worker.mjs` is the entry. */
export interface Worker {
  readonly name: string;
  readonly files: Readonly<Record<string, Uint8Array | string>>;
  /**
   * The Worker's requests by name, the first of which is also measured warm. The default is `GET /?n=` with a number of
   * inferences.
   */
  readonly asks?: Readonly<Record<string, HttpRequest>>;
}

const sources = fileURLToPath(new URL('./workers/', import.meta.url));
const { resolve } = createRequire(import.meta.url);
const tfjsModule = '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm';

/** Maps each Worker's name to the function that makes it. */
export type Recipes = Readonly<Record<string, () => Promise<Worker>>>;

/** Returns the floor and the peers for one model file. */
export function peers(model: Uint8Array): Recipes {
  const stock = async (name: string) => worker(name, { 'stock.wasm': await readStockModule(), 'model.bin': model });
  const tfjs = (name: string, files: Worker['files']) => {
    const { layout, weights } = tfjsWeights(model);
    return worker(name, { 'weights.bin': weights, ...files }, { 'layout.json': JSON.stringify(layout) });
  };
  return {
    hello: () => worker('hello', {}),
    'stock-lazy': () => stock('stock-lazy'),
    'stock-module-scope': () => stock('stock-module-scope'),
    'tfjs-cpu': () => tfjs('tfjs-cpu', {}),
    'tfjs-wasm': async () => tfjs('tfjs-wasm', { 'tfjs.wasm': await readFile(resolve(tfjsModule)) }),
  };
}

/** @param files the files of an image */
export async function edgeWorker(name: string, files: EmittedFiles): Promise<Worker> {
  const { modules, generated } = imageParts(files);
  return { ...(await worker('edge', modules, generated)), name };
}

/** Divides the files of an image into those that a Worker contains as modules, and those that are bundled. */
export function imageParts(files: EmittedFiles): {
  readonly modules: Worker['files'];
  readonly generated: Readonly<Record<string, string>>;
} {
  const entries = Object.entries(files);
  return {
    modules: Object.fromEntries(entries.filter(([name]) => /\.(wasm|bin)$/.test(name))),
    generated: {
      // A build whose image fails writes this file with the error.
      'build-error.mjs': 'export default undefined;',
      ...Object.fromEntries(
        entries.flatMap(([name, content]) => (/(?<!\.d)\.mjs$/.test(name) ? [[name, String(content)] as const] : [])),
      ),
    },
  };
}

const worker = async (
  name: string,
  files: Worker['files'],
  generated?: Readonly<Record<string, string>>,
): Promise<Worker> => ({
  name,
  files: await bundleWorker(`${sources}${name}.mjs`, files, generated),
});

/**
 * @param generated sources that exist in memory only, by the name of their import
 * @returns the files of a Worker
 */
export async function bundleWorker(
  entry: string,
  files: Worker['files'],
  generated: Readonly<Record<string, string>> = {},
): Promise<Worker['files']> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    minify: true,
    format: 'esm',
    target: 'es2024',
    platform: 'browser',
    external: ['*.wasm', '*.bin'],
    // The Emscripten glue assumes Node wherever there is a `process`, which a Worker has today.
    define: { 'import.meta.url': '""', process: 'undefined', 'globalThis.process': 'undefined' },
    plugins: [inMemory(generated), nodeModules],
  });
  return { 'worker.mjs': outputFiles.map(({ text }) => text).join(''), ...files };
}

function inMemory(sources: Readonly<Record<string, string>>): Plugin {
  return {
    name: 'in-memory',
    setup(api) {
      api.onResolve({ filter: /^#/ }, ({ path }) => ({
        path: path === '#wasm' ? 'wasm.workerd.mjs' : `${path.slice(1)}.mjs`,
        namespace: 'in-memory',
      }));
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

/** Stubs the modules that only branches for Node import; no Worker takes these branches. */
const nodeModules: Plugin = {
  name: 'node-modules',
  setup(api) {
    const filter = /^(node:.*|module|worker_threads|fs|path|url|util|perf_hooks|os|crypto)$/;
    api.onResolve({ filter }, ({ path }) => ({ path, namespace: 'absent' }));
    api.onLoad({ filter: /.*/, namespace: 'absent' }, () => ({ contents: 'export default {}' }));
  },
};
