/** The files of `onnxruntime-web` that images are made from. */

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

const { resolve } = createRequire(import.meta.url);

export const stockModulePath = resolve('onnxruntime-web/ort-wasm-simd-threaded.wasm');
export const gluePath = resolve('onnxruntime-web/ort-wasm-simd-threaded.mjs');

export async function readStockModule(): Promise<Uint8Array> {
  return new Uint8Array(await readFile(stockModulePath));
}
