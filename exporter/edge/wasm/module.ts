/**
 * A WebAssembly module as its sections, parsed just deep enough to replace function bodies, globals, exports and data.
 * Instructions are not decoded here. This is not a validator: the engine validates what is written.
 * Source: https://webassembly.github.io/spec/core/binary/modules.html
 */

import { concat, Reader, s64, sized, u32, vector } from './bytes.ts';

/** Section ids of the core specification that the edge image reads or writes. */
export const section = {
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
} as const;

/** External kinds, as in import and export descriptors. */
export const externKind = { function: 0, table: 1, memory: 2, global: 3, tag: 4 } as const;

export const valueType = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b } as const;

/** The byte that the type of a function begins with. */
const functionForm = 0x60;

export interface Section {
  readonly id: number;
  readonly payload: Uint8Array;
}

export interface Export {
  readonly name: string;
  readonly kind: number;
  readonly index: number;
}

/** A global defined by the module. `init` is its constant expression, `end` included. */
export interface GlobalEntry {
  readonly type: number;
  readonly mutable: boolean;
  readonly init: Uint8Array;
}

/** Function indices that the table holds from `offset` on. */
export interface ElementRun {
  readonly offset: number;
  readonly functions: readonly number[];
}

export interface FunctionType {
  readonly parameters: readonly number[];
  readonly results: readonly number[];
}

/** Counts the imported functions and globals, which come first in their index spaces. One memory is imported. */
export interface ImportSummary {
  readonly functions: number;
  readonly globals: number;
  /** Offset of the byte of the import section that holds the flags of the memory's limits. */
  readonly limitsFlagOffset: number;
}

const utf8 = new TextEncoder();
const header = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00);

export function parseModule(bytes: Uint8Array): readonly Section[] {
  if (!header.every((byte, i) => bytes[i] === byte)) throw new Error('wasm: expected a version 1 module');
  const reader = new Reader(bytes, header.length);
  const sections: Section[] = [];
  while (!reader.done) {
    const id = reader.byte();
    sections.push({ id, payload: reader.take(reader.u32()) });
  }
  return sections;
}

export function encodeModule(sections: readonly Section[]): Uint8Array {
  return concat([header, ...sections.flatMap(({ id, payload }) => [[id, ...u32(payload.length)], payload])]);
}

export function payloadOf(sections: readonly Section[], id: number): Uint8Array {
  const found = sections.find((candidate) => candidate.id === id);
  if (!found) throw new Error(`wasm: expected a section ${id}, got none`);
  return found.payload;
}

/** Inserts a section at its place among sections that have none of its kind. */
export function insertSection(sections: readonly Section[], added: Section): readonly Section[] {
  const before = sections.filter(({ id }) => id !== 0 && id < added.id).length;
  return [...sections.slice(0, before), added, ...sections.slice(before)];
}

/** Replaces whole sections by id; `null` removes a section. */
export function replaceSections(
  sections: readonly Section[],
  payloads: Readonly<Record<number, Uint8Array | null>>,
): readonly Section[] {
  return sections.flatMap((old) => {
    const payload = payloads[old.id];
    if (payload === null) return [];
    return [payload ? { id: old.id, payload } : old];
  });
}

export function parseExports(sections: readonly Section[]): readonly Export[] {
  const reader = new Reader(payloadOf(sections, section.export));
  return reader.vector(() => ({ name: reader.name(), kind: reader.byte(), index: reader.u32() }));
}

export function encodeExports(exports: readonly Export[]): Uint8Array {
  return vector(exports.map(({ name, kind, index }) => concat([sized(utf8.encode(name)), [kind], u32(index)])));
}

/** Returns the number of an exported function among those that the module defines. */
export function definedFunction(sections: readonly Section[], name: string): number {
  const found = parseExports(sections).find((one) => one.name === name && one.kind === externKind.function);
  if (!found) throw new Error(`wasm: expected a function export ${name}, got none`);
  return found.index - summarizeImports(sections).functions;
}

/** Returns the types of the functions that the module defines. */
export function parseDefinedTypes(sections: readonly Section[]): readonly FunctionType[] {
  const types = parseTypes(sections);
  const reader = new Reader(payloadOf(sections, section.function));
  return reader.vector(() => {
    const type = types[reader.u32()];
    if (!type) throw new Error('wasm: expected a type for every function, got none');
    return type;
  });
}

export function encodeType({ parameters, results }: FunctionType): Uint8Array {
  const valueTypes = (types: readonly number[]) => vector(types.map((type) => [type]));
  return concat([[functionForm], valueTypes(parameters), valueTypes(results)]);
}

function parseTypes(sections: readonly Section[]): readonly FunctionType[] {
  const reader = new Reader(payloadOf(sections, section.type));
  const valueTypes = () => reader.vector(() => reader.byte());
  return reader.vector(() => {
    const form = reader.byte();
    if (form !== functionForm) throw new Error(`wasm type: expected a function, got form 0x${form.toString(16)}`);
    return { parameters: valueTypes(), results: valueTypes() };
  });
}

/** Returns function bodies: local declarations and instructions, without the length in front. */
export function parseBodies(sections: readonly Section[]): readonly Uint8Array[] {
  const reader = new Reader(payloadOf(sections, section.code));
  return reader.vector(() => reader.take(reader.u32()));
}

export function encodeBodies(bodies: readonly Uint8Array[]): Uint8Array {
  return vector(bodies.map(sized));
}

/** Returns the offset of the first instruction of a function body, after its local declarations. */
export function firstInstruction(body: Uint8Array): number {
  const reader = new Reader(body);
  reader.vector(() => [reader.u32(), reader.byte()]);
  return reader.offset;
}

export function parseGlobals(sections: readonly Section[]): readonly GlobalEntry[] {
  const reader = new Reader(payloadOf(sections, section.global));
  return reader.vector(() => ({ type: reader.byte(), mutable: reader.byte() === 1, init: readConstant(reader) }));
}

export function encodeGlobals(globals: readonly GlobalEntry[]): Uint8Array {
  return vector(globals.map(({ type, mutable, init }) => concat([[type, Number(mutable)], init])));
}

/** Returns `i32.const` or `i64.const` followed by `end`. */
export function integerConstant(type: number, value: number | bigint): Uint8Array {
  const opcode = type === valueType.i64 ? 0x42 : 0x41;
  return Uint8Array.from([opcode, ...s64(BigInt(value)), 0x0b]);
}

function readConstant(reader: Reader): Uint8Array {
  const start = reader.offset;
  const opcode = reader.byte();
  if (opcode !== 0x41 && opcode !== 0x42) {
    throw new Error(`wasm global: expected an integer constant, got opcode 0x${opcode.toString(16)}`);
  }
  reader.u32();
  if (reader.byte() !== 0x0b) throw new Error('wasm global: expected one instruction, got more');
  return reader.bytes.subarray(start, reader.offset);
}

/** Reads active element segments of table 0, the only kind that a C++ program has. */
export function parseElements(sections: readonly Section[]): readonly ElementRun[] {
  const reader = new Reader(payloadOf(sections, section.element));
  return reader.vector(() => {
    const kind = reader.u32();
    if (kind !== 0) throw new Error(`wasm element segment: expected kind 0, got ${kind}`);
    const offset = new Reader(readConstant(reader), 1).u32();
    return { offset, functions: reader.vector(() => reader.u32()) };
  });
}

export function encodeElements(runs: readonly ElementRun[]): Uint8Array {
  return vector(
    runs.map(({ offset, functions }) =>
      concat([[0], integerConstant(valueType.i32, offset), vector(functions.map((index) => u32(index)))]),
    ),
  );
}

export function summarizeImports(sections: readonly Section[]): ImportSummary {
  const reader = new Reader(payloadOf(sections, section.import));
  const imports = reader.vector(() => readImport(reader));
  const memory = imports.find(({ kind }) => kind === externKind.memory);
  if (!memory) throw new Error('wasm: expected an imported memory, got none');
  const count = (kind: number) => imports.filter((one) => one.kind === kind).length;
  return { functions: count(externKind.function), globals: count(externKind.global), limitsFlagOffset: memory.type };
}

/** `type` is the offset of the import's type inside the section. */
function readImport(reader: Reader): { kind: number; type: number } {
  reader.name();
  reader.name();
  const kind = reader.byte();
  const type = reader.offset;
  if (kind === externKind.function) reader.u32();
  else if (kind === externKind.global) reader.take(2);
  else if (kind === externKind.memory) skipLimits(reader);
  else throw new Error(`wasm import: expected a function, global or memory, got kind ${kind}`);
  return { kind, type };
}

function skipLimits(reader: Reader): void {
  const hasMaximum = (reader.byte() & 1) === 1;
  reader.u32();
  if (hasMaximum) reader.u32();
}
