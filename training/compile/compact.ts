/**
 * Weights as the module carries them where it is to be small: halfs, or 8-bit integers and a scale for each output. They are made single
 * precision once, when the program starts, so that kernels know nothing of it. Whoever made the graph has rounded them: what is no half, or
 * no multiple of its output's scale, stays in single precision.
 *
 *     int8:      w = q · s            s = max |w| / 127 over the weights of an output, q an integer
 *     float16:   w = q
 */
import { fromHalves, toHalves } from '../files/index.ts';
import type { Section, Stored } from './buffer.ts';

export type CompactType = 'float16' | 'int8';

export interface Compact {
  readonly type: CompactType;
  readonly numbers: Uint8Array;
  /** Of each column, section by section; none of halfs. */
  readonly scales: Float32Array;
}

/** Of a column's largest weight: a scale that has been multiplied and divided is off by as little. */
const rounding = 1e-6;

/** @returns undefined for what are no weights, and for weights that the type does not hold */
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
      const places = Array.from({ length: rows }, (_, row) => start + row * columns + column);
      const largest = places.reduce((most, at) => Math.max(most, Math.abs(weights[at] ?? 0)), 0);
      const scale = Math.fround(largest / 127) || 1;
      for (const at of places) {
        const weight = weights[at] ?? 0;
        const integer = Math.round(weight / scale);
        if (!(Math.abs(integer * scale - weight) <= rounding * largest)) return undefined;
        numbers[at] = integer;
      }
      scales.push(scale);
    }
    start += rows * columns;
  }
  return { type: 'int8', numbers: new Uint8Array(numbers.buffer), scales: Float32Array.from(scales) };
}
