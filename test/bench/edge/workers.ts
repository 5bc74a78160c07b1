/** The Workers to compare: bundled, with the files that they import. One folder each, as they would be deployed. */

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

import { emitImage } from '../../../exporter/edge/emit.ts';
import type { EdgeImage } from '../../../exporter/edge/image.ts';
import { readStockModule } from '../../../exporter/edge/stock-module.ts';
import { tfjsWeights } from './tfjs-weights.ts';

/** Files by name; `worker.mjs` is the entry. */
export interface Worker {
  readonly name: string;
  readonly files: Readonly<Record<string, Uint8Array | string>>;
}

const sources = fileURLToPath(new URL('./workers/', import.meta.url));
const { resolve } = createRequire(import.meta.url);

/** The peers and the floor, for one model file. */
export async function peerWorkers(model: Uint8Array): Promise<readonly Worker[]> {
  const stock = { 'stock.wasm': await readStockModule(), 'model.bin': model };
  const { layout, weights } = tfjsWeights(model);
  const tfjs = { 'weights.bin': weights };
  const tfjsWasm = await readFile(resolve('@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm'));
  return [
    await bundleWorker('hello', 'hello.js', {}),
    await bundleWorker('stock-lazy', 'stock-lazy.js', stock),
    await bundleWorker('stock-module-scope', 'stock-module-scope.js', stock),
    await bundleWorker('tfjs-cpu', 'tfjs-cpu.js', tfjs, { 'layout.json': JSON.stringify(layout) }),
    await bundleWorker(
      'tfjs-wasm',
      'tfjs-wasm.js',
      { ...tfjs, 'tfjs.wasm': tfjsWasm },
      {
        'layout.json': JSON.stringify(layout),
      },
    ),
  ];
}

export async function edgeWorker(name: string, image: EdgeImage): Promise<Worker> {
  const { 'edge.mjs': module, 'edge.wasm': wasm } = await emitImage(image);
  if (typeof module !== 'string' || typeof wasm === 'string' || !wasm) throw new Error('internal: unexpected files');
  return bundleWorker(name, 'edge.js', { 'edge.wasm': wasm }, { 'edge.mjs': module });
}

/** @param generated sources that exist in memory only, by the name they are imported under */
async function bundleWorker(
  name: string,
  entry: string,
  files: Worker['files'],
  generated: Readonly<Record<string, string>> = {},
): Promise<Worker> {
  const { outputFiles } = await build({
    entryPoints: [`${sources}${entry}`],
    bundle: true,
    write: false,
    minify: true,
    format: 'esm',
    target: 'es2024',
    platform: 'browser',
    external: ['*.wasm', '*.bin'],
    // The Emscripten glue takes itself to be in Node where there is a process, as in a Worker of today.
    define: { 'import.meta.url': '""', process: 'undefined', 'globalThis.process': 'undefined' },
    plugins: [
      {
        name: 'generated',
        setup(api) {
          api.onResolve({ filter: /^\.\// }, ({ path }) => {
            return path.slice(2) in generated ? { path: path.slice(2), namespace: 'generated' } : undefined;
          });
          api.onLoad({ filter: /.*/, namespace: 'generated' }, ({ path }) => ({
            contents: generated[path] ?? '',
            loader: path.endsWith('.json') ? 'json' : 'js',
          }));
          api.onResolve(
            { filter: /^(module|worker_threads|node:.*|fs|path|url|util|perf_hooks|os|crypto)$/ },
            ({ path }) => {
              return { path, namespace: 'absent' };
            },
          );
          api.onLoad({ filter: /.*/, namespace: 'absent' }, () => ({ contents: 'export default {}' }));
        },
      },
    ],
  });
  return { name, files: { 'worker.mjs': outputFiles.map(({ text }) => text).join(''), ...files } };
}
