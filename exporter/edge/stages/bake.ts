/**
 * Writes the snapshot into the module as active data. Repeated content is stored once, and the module copies it when it
 * starts, so that instantiating the image restores the whole memory.
 */

import { AddedFunctions } from '../wasm/added-functions.ts';
import { concat, u32, vector } from '../wasm/bytes.ts';
import { constant, end } from '../wasm/code.ts';
import {
  encodeModule,
  insertSection,
  integerConstant,
  parseBodies,
  parseModule,
  replaceSections,
  section,
  valueType,
} from '../wasm/module.ts';
import type { Section } from '../wasm/module.ts';
import { repeatsIn, withoutRepeats } from './repeats.ts';
import type { Repeat } from './repeats.ts';

/** A run of zeros at least this long ends a data segment: the next segment's header costs less. Bytes. */
const minGap = 64;

/** Half-open range of addresses. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

export function bake(module: Uint8Array, memory: Uint8Array): Uint8Array {
  const repeats = repeatsIn(memory);
  const stored = withoutRepeats(memory, repeats);
  const segments = nonZeroRanges(stored).map(({ start, end }) => {
    const active = 0;
    const offset = integerConstant(valueType.i32, start);
    return concat([[active], offset, u32(end - start), stored.subarray(start, end)]);
  });
  const sections = withCopies(parseModule(module), repeats);
  return encodeModule([...sections, { id: section.data, payload: vector(segments) }]);
}

/** Adds a start function that copies, in the order of addresses: a later copy may read what an earlier one wrote. */
function withCopies(sections: readonly Section[], repeats: readonly Repeat[]): readonly Section[] {
  if (repeats.length === 0) return sections;
  const added = new AddedFunctions(sections);
  const noLocals = 0;
  const copies = repeats.flatMap((repeat) => [
    ...[repeat.start, repeat.source, repeat.end - repeat.start].flatMap(constant),
    ...memoryCopy,
  ]);
  const start = added.add({ parameters: [], results: [] }, Uint8Array.from([noLocals, ...copies, end]));
  const changed = replaceSections(sections, added.payloads(parseBodies(sections)));
  return insertSection(changed, { id: section.start, payload: Uint8Array.from(u32(start)) });
}

const memoryCopy = [0xfc, 0x0a, 0x00, 0x00];

/** Returns the ranges of memory between runs of `minGap` or more zeros. */
export function nonZeroRanges(memory: Uint8Array): readonly Range[] {
  const ranges: Range[] = [];
  let start = -1;
  let end = -1;
  for (let address = 0; address < memory.length; address++) {
    if (memory[address] === 0) continue;
    if (start >= 0 && address - end >= minGap) {
      ranges.push({ start, end });
      start = address;
    }
    if (start < 0) start = address;
    end = address + 1;
  }
  if (start >= 0) ranges.push({ start, end });
  return ranges;
}
