/**
 * Replaces the module's kernel for matrix products by that of `gemm-kernel.ts`. The module's kernel is recognised by
 * what it computes: if no function of its type computes the same, bit by bit, nothing is replaced.
 */

import { AddedFunctions } from '../wasm/added-functions.ts';
import { gemmBody, gemmType } from './gemm-kernel.ts';
import type { GemmMode } from './gemm-kernel.ts';
import { vector } from '../wasm/bytes.ts';
import {
  encodeBodies,
  encodeExports,
  encodeModule,
  encodeType,
  externKind,
  parseBodies,
  parseDefinedTypes,
  parseModule,
  replaceSections,
  section,
} from '../wasm/module.ts';
import type { FunctionType } from '../wasm/module.ts';

type Kernel = (...values: readonly number[]) => number;

const modes: readonly GemmMode[] = ['overwrite', 'accumulate'];

export function replaceGemm(module: Uint8Array): Uint8Array {
  const sections = parseModule(module);
  const added = new AddedFunctions(sections);
  const types = parseDefinedTypes(sections);
  const bodies = parseBodies(sections).map((body, i) => {
    const mode = isGemmType(types[i]) ? modes.find((mode) => computes(body, mode)) : undefined;
    return mode ? gemmBody(added.add(gemmType, body), mode) : body;
  });
  return encodeModule(replaceSections(sections, added.payloads(bodies)));
}

function isGemmType(type: FunctionType | undefined): boolean {
  return JSON.stringify(type) === JSON.stringify(gemmType);
}

/** Sizes with and without a rest of K and N, with one row and more. */
const sizes = [1, 4, 7, 130].flatMap((k) =>
  [1, 2, 3].flatMap((m) => [5, 16, 33, 48, 70].map((n) => [k, m, n] as const)),
);
/** Addresses in the memory of a trial, and the distances between rows. */
const [a, b, c, lda, ldc] = [0, 4_096, 65_536, 131, 71];
const pages = 2;

/** Is true if a function leaves the same in memory as its replacement for products of all these sizes. */
function computes(body: Uint8Array, mode: GemmMode): boolean {
  const module = trial([body, gemmBody(0, mode)]);
  if (!WebAssembly.validate(module)) return false;
  const memory = new WebAssembly.Memory({ initial: pages });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module), { a: { a: memory } });
  const outcome = (kernel: unknown, [k, m, n]: (typeof sizes)[number]): Buffer => {
    new Float32Array(memory.buffer).set(numbers);
    const rows = (kernel as Kernel)(a, b, c, k, m, n, lda, ldc, 0.7);
    return Buffer.concat([Buffer.of(rows), new Uint8Array(memory.buffer)]);
  };
  try {
    return sizes.every((size) => outcome(exports['0'], size).equals(outcome(exports['1'], size)));
  } catch {
    return false;
  }
}

const numbers = Float32Array.from({ length: (pages * 65_536) / 4 }, (_, i) => Math.sin(i * i));

/** Makes a module of functions of the kernel's type. It is invalid if they need anything but memory. */
function trial(bodies: readonly Uint8Array[]): Uint8Array {
  const memory = [1, 0x61, 1, 0x61, externKind.memory, 0, pages];
  return encodeModule([
    { id: section.type, payload: vector([encodeType(gemmType)]) },
    { id: section.import, payload: vector([memory]) },
    { id: section.function, payload: vector(bodies.map(() => [0])) },
    {
      id: section.export,
      payload: encodeExports(bodies.map((_, index) => ({ name: String(index), kind: externKind.function, index }))),
    },
    { id: section.code, payload: encodeBodies(bodies) },
  ]);
}
