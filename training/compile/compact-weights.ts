/**
 * Stores weights in less space: as halfs, or as 8-bit integers with a scale for each output. They are expanded to
 * single precision once, when the program starts, so kernels need not know. Only dense layers of integers compute with
 * them directly (`kernels/integer-dense.ts`). The weights have been rounded before, by whatever made the
 * graph: a matrix with a weight that is not a half, or not a multiple of its output's scale, stays in single precision.
 *
 *     int8:      w = q · s            s = max |w| / 127 over the weights of an output, q an integer
 *     float16:   w = q
 */
import { present } from '../arrays/index.ts';
import { fromHalves, toHalves } from '../files/index.ts';
import type { Section, Stored } from './buffer.ts';

export type CompactType = 'float16' | 'int8';

export interface Compact {
  readonly type: CompactType;
  readonly numbers: Uint8Array;
  /** The scales of the columns, section by section; empty for halfs. */
  readonly scales: Float32Array;
}

/**
 * The tolerance, relative to a column's largest weight: multiplying and dividing by a scale changes a weight by as
 * little.
 */
const rounding = 1e-6;

/** @returns undefined for numbers that are not weights, and for weights that the type cannot represent */
export function compacted({ data, sections }: Stored, type: CompactType): Compact | undefined {
  if (sections.length === 0) return undefined;
  const weights = new Float32Array(data.buffer, data.byteOffset, data.byteLength / 4);
  return type === 'float16' ? asHalves(weights) : asIntegers(weights, sections);
}

function asHalves(weights: Float32Array): Compact | undefined {
  const halves = toHalves(weights);
  if (fromHalves(halves).some((half, i) => half !== weights[i])) return undefined;
  return { type: 'float16', numbers: new Uint8Array(halves.buffer), scales: new Float32Array() };
}

function asIntegers(weights: Float32Array, sections: readonly Section[]): Compact | undefined {
  const numbers = new Int8Array(weights.length);
  const scales: number[] = [];
  let start = 0;
  for (const { rows, vectors } of sections) {
    const columns = 4 * vectors;
    for (let column = 0; column < columns; column++) {
      const indices = Array.from({ length: rows }, (_, row) => start + row * columns + column);
      const integers = asColumn(Float32Array.from(indices, (index) => present(weights[index])));
      if (!integers) return undefined;
      indices.forEach((index, row) => (numbers[index] = present(integers.numbers[row])));
      scales.push(integers.scale);
    }
    start += rows * columns;
  }
  return { type: 'int8', numbers: new Uint8Array(numbers.buffer), scales: Float32Array.from(scales) };
}

/**
 * Returns the weights of one output as integers times its scale, or undefined where a weight is not a multiple of it.
 */
export function asColumn(weights: Float32Array): { readonly numbers: Int8Array; readonly scale: number } | undefined {
  const largest = weights.reduce((max, weight) => Math.max(max, Math.abs(weight)), 0);
  const scale = Math.fround(largest / 127) || 1;
  const numbers = Int8Array.from(weights, (weight) => Math.round(weight / scale));
  const isMultiple = weights.every((weight, i) => Math.abs(present(numbers[i]) * scale - weight) <= rounding * largest);
  return isMultiple ? { numbers, scale } : undefined;
}
