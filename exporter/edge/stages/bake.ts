/** Writes the snapshot into the module as active data: instantiating the image restores the memory. */

import { concat, u32, vector } from '../wasm/bytes.ts';
import { encodeModule, integerConstant, parseModule, section, valueType } from '../wasm/module.ts';

/** A run of zeros at least this long ends a data segment: the header of the next costs less. Bytes. */
const longestGap = 64;

/** Half-open range of addresses. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

export function bake(module: Uint8Array, memory: Uint8Array): Uint8Array {
  const segments = nonZeroRanges(memory).map(({ start, end }) => {
    const active = 0;
    const offset = integerConstant(valueType.i32, start);
    return concat([[active], offset, u32(end - start), memory.subarray(start, end)]);
  });
  return encodeModule([...parseModule(module), { id: section.data, payload: vector(segments) }]);
}

/** Everything but runs of zeros of `longestGap` or more. */
export function nonZeroRanges(memory: Uint8Array): readonly Range[] {
  const ranges: Range[] = [];
  let start = -1;
  let end = -1;
  memory.forEach((byte, address) => {
    if (byte === 0) return;
    if (start >= 0 && address - end >= longestGap) {
      ranges.push({ start, end });
      start = address;
    }
    if (start < 0) start = address;
    end = address + 1;
  });
  if (start >= 0) ranges.push({ start, end });
  return ranges;
}
