/** Twelve networks from 200 bytes to 14 MB: generated with random weights, from other tools, and this project's own. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { WeightType } from '../../../exporter/served/round-weights.ts';
import { cnn, loneBatchNorm, mlp, table } from '../../edge/fixtures.ts';
import { mobileNet } from '../../edge/mobile-net.ts';

export interface Network {
  readonly name: string;
  readonly file: Uint8Array;
  readonly weights: WeightType;
}

/** The rows and columns of the large networks' input: the smallest that MobileNetV2 was trained on. */
const size = 96;

const foreign = join('test', 'bundle', 'foreign');

const makers: Readonly<Record<string, () => Uint8Array | Promise<Uint8Array>>> = {
  'Batch Norm': () => loneBatchNorm(),
  'table of 2': () => table(),
  'iris-logistic': () => readFile(join(foreign, 'iris-logistic.onnx')),
  'iris-forest': () => readFile(join(foreign, 'iris-forest.onnx')),
  'mlp 0.1 MB': () => mlp({ hidden: 30 }),
  'mnist-cnn': () => cnn(),
  'mlp 1 MB': () => mlp({ hidden: 240 }),
  'mlp 5 MB': () => mlp({ hidden: 790 }),
  'mobilenet 0.35': () => mobileNet({ size, width: 0.35 }),
  mobilenet: () => mobileNet({ size }),
  'mobilenet float16': () => mobileNet({ size }),
  'mobilenet int8': () => mobileNet({ size }),
};

export async function networks(only: readonly string[] = Object.keys(makers)): Promise<readonly Network[]> {
  const made: Network[] = [];
  for (const [name, make] of Object.entries(makers)) {
    const weights = (['float16', 'int8'] as const).find((type) => name.endsWith(type)) ?? 'float32';
    if (only.includes(name)) made.push({ name, file: await make(), weights });
  }
  return made;
}
