/**
 * Notes: memory that instrumented code writes to. It is separate, so that the module's own memory stays as it was, and
 * it belongs to another module, since some engines (Node 20's) allow only one memory per module. The instrumented
 * module gets a table, and calls the functions of the other module through it.
 */

import type { AddedFunctions } from '../wasm/added-functions.ts';
import { append, count } from '../wasm/added-functions.ts';
import { concat, u32, vector } from '../wasm/bytes.ts';
import { constant, end, localGet } from '../wasm/code.ts';
import type { Code } from '../wasm/code.ts';
import {
  encodeBodies,
  encodeExports,
  encodeModule,
  encodeType,
  externKind,
  insertSection,
  section,
  valueType,
} from '../wasm/module.ts';
import type { Export, FunctionType, Section } from '../wasm/module.ts';

interface NoteFunction extends FunctionType {
  readonly code: Code;
}

const { i32 } = valueType;
const [load8, store8, store32] = [
  [0x2d, 0x00, 0x00],
  [0x3a, 0x00, 0x00],
  [0x36, 0x02, 0x00],
];
const fill = [0xfc, 0x0b, 0x00];

/** Lists the functions in the order of the table. */
const functions = {
  /** Sets the byte at an address to 1. */
  markOne: { parameters: [i32], results: [], code: [...localGet(0), ...constant(1), ...store8] },
  /** Sets the bytes at two addresses to 1. */
  markTwo: {
    parameters: [i32, i32],
    results: [],
    code: [...localGet(0), ...constant(1), ...store8, ...localGet(1), ...constant(1), ...store8],
  },
  /** Sets a number of bytes from an address on to 1. */
  markAll: { parameters: [i32, i32], results: [], code: [...localGet(0), ...constant(1), ...localGet(1), ...fill] },
  /** Returns the byte at an address. */
  readByte: { parameters: [i32], results: [i32], code: [...localGet(0), ...load8] },
  /** Writes a word to an address. */
  writeWord: { parameters: [i32, i32], results: [], code: [...localGet(0), ...localGet(1), ...store32] },
} as const satisfies Readonly<Record<string, NoteFunction>>;

type NoteName = keyof typeof functions;

const names = Object.keys(functions) as NoteName[];

const mapFunctions = <T>(of: (one: NoteFunction) => T): Readonly<Record<NoteName, T>> =>
  Object.fromEntries(names.map((name) => [name, of(functions[name])])) as Record<NoteName, T>;

const tableExport = 'notes';

/** The table of a module that is being instrumented, and calls through it. */
export class NoteTable {
  readonly #sections: readonly Section[];
  readonly #table: number;
  readonly #types: Readonly<Record<NoteName, number>>;

  /** @param added gets the types of the calls */
  constructor(sections: readonly Section[], added: AddedFunctions) {
    this.#sections = sections;
    this.#table = count(tablesOf(sections));
    this.#types = mapFunctions((type) => added.type(type));
  }

  /** Calls a function with the arguments that are on the stack. */
  call(name: NoteName): Code {
    const callIndirect = 0x11;
    return [...constant(names.indexOf(name)), callIndirect, ...u32(this.#types[name]), ...u32(this.#table)];
  }

  get export(): Export {
    return { name: tableExport, kind: externKind.table, index: this.#table };
  }

  /** Adds the table to the sections of a module that is otherwise finished. */
  addTo(sections: readonly Section[]): readonly Section[] {
    const [functionReference, bothLimits] = [0x70, 0x01];
    const table = Uint8Array.of(functionReference, bothLimits, names.length, names.length);
    const added = { id: section.table, payload: append(tablesOf(this.#sections), [table]) };
    return insertSection(
      sections.filter(({ id }) => id !== section.table),
      added,
    );
  }
}

const tablesOf = (sections: readonly Section[]): Uint8Array =>
  sections.find(({ id }) => id === section.table)?.payload ?? Uint8Array.of(0);

/** The memory, and the functions that write to it. */
export class Notes {
  readonly #functions: readonly WebAssembly.ExportValue[];
  readonly memory: WebAssembly.Memory;

  constructor(pages: number) {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(noteModule(pages)));
    this.#functions = names.map((name) => exports[name] ?? missing());
    const { memory } = exports;
    this.memory = memory instanceof WebAssembly.Memory ? memory : missing();
  }

  /** Lets an instrumented instance write here. Until then, it traps when it would write. */
  attach(exports: WebAssembly.Exports): void {
    const table = exports[tableExport];
    if (!(table instanceof WebAssembly.Table))
      throw new Error('internal: expected the table of an instrumented module');
    this.#functions.forEach((one, i) => {
      table.set(i, one);
    });
  }
}

function missing(): never {
  throw new Error('internal: expected all exports of the notes');
}

function noteModule(pages: number): Uint8Array {
  const all = Object.values(functions);
  const noLocals = [0];
  const exports = [
    ...names.map((name, index) => ({ name, kind: externKind.function, index })),
    { name: 'memory', kind: externKind.memory, index: 0 },
  ];
  return encodeModule([
    { id: section.type, payload: vector(all.map(encodeType)) },
    { id: section.function, payload: vector(all.map((_, i) => u32(i))) },
    { id: section.memory, payload: vector([[0, ...u32(pages)]]) },
    { id: section.export, payload: encodeExports(exports) },
    { id: section.code, payload: encodeBodies(all.map(({ code }) => concat([noLocals, code, [end]]))) },
  ]);
}
