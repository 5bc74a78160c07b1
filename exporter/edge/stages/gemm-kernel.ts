/**
 * The inner kernel of matrix products: C = alpha A B, or C = C + alpha A B, for one or two rows of A and C. B is packed
 * in panels of 16 columns; each panel has its K rows one after the other.
 *
 * If the host has no guard pages, as in workerd, V8 checks the address of every load. MLAS loads one number of A at a
 * time; this kernel loads four. A single row would wait for its own additions, so that it takes two panels together.
 * Every sum is still added up from k = 0 to K - 1, so that every bit is the same.
 * Source: https://github.com/microsoft/onnxruntime/blob/v1.30.0/onnxruntime/core/mlas/lib/scalar/SgemmKernelScalar.cpp
 */

import { concat, u32 } from '../wasm/bytes.ts';
import { valueType } from '../wasm/module.ts';
import type { FunctionType } from '../wasm/module.ts';
import {
  add,
  block,
  branch,
  branchIf,
  call,
  constant,
  end,
  ifTrue,
  isZero,
  leave,
  lessUnsigned,
  localGet,
  localSet,
  loop,
  otherwise,
  shiftLeft,
} from '../wasm/code.ts';
import type { Code } from '../wasm/code.ts';

/** Says what happens to the content of C. */
export type GemmMode = 'overwrite' | 'accumulate';

/** The number of rows of A and panels of B that are multiplied together. */
interface Tile {
  readonly rows: number;
  readonly panels: number;
}

const { i32, f32, v128 } = valueType;
/**
 * The parameters are A, B, C, K, M, N, the distances between rows of A and of C, and alpha. The result is the number of
 * rows done.
 */
export const gemmType: FunctionType = { parameters: [i32, i32, i32, i32, i32, i32, i32, i32, f32], results: [i32] };

const [a, b, c, k, m, n, lda, ldc, alpha] = [0, 1, 2, 3, 4, 5, 6, 7, 8];
/**
 * Locals: eight sums of four columns, by row and column; for each row four numbers of A, and one of them four times;
 * four columns of B; alpha four times.
 */
const [sums, values, factors, columns, scale] = [9, 17, 19, 21, 22];
/** Locals: the address in each row of A and in each panel of B, and how much of K is left. */
const [rowAt, panelAt, left] = [23, 25, 27];
const localTypes = [2, 14, v128, 5, i32];

const [panelBytes, vectorsInPanel, unrolled] = [64, 4, 4];

/** @param original index of the kernel that multiplies what is narrower than a tile */
export function gemmBody(original: number, mode: GemmMode): Uint8Array {
  return concat([
    localTypes,
    [...localGet(alpha), ...splat, ...localSet(scale)],
    [...localGet(m), ...constant(2), lessUnsigned, ...ifTrue],
    tiles({ rows: 1, panels: 2 }, mode),
    [otherwise],
    tiles({ rows: 2, panels: 1 }, mode),
    [end],
    [a, b, c, k, m, n, lda, ldc, alpha].flatMap(localGet),
    [...call(original), end],
  ]);
}

/**
 * Multiplies all columns of N but the last ones that are narrower than a tile. Returns from the function if none are
 * left.
 */
function tiles(tile: Tile, mode: GemmMode): Code {
  const { rows, panels } = tile;
  const width = 16 * panels;
  return [
    ...[...block, ...loop, ...localGet(n), ...constant(width), lessUnsigned, branchIf, 1],
    ...range(2 * vectorsInPanel).flatMap((sum) => [...zeroVector, ...localSet(sums + sum)]),
    ...startOf(rowAt, rows, a, [...localGet(lda), ...constant(2), shiftLeft]),
    ...startOf(panelAt, panels, b, [...localGet(k), ...constant(6), shiftLeft]),
    ...[...localGet(k), ...localSet(left)],
    ...whileLeft(unrolled, step(tile, unrolled)),
    ...whileLeft(1, step(tile, 1)),
    ...store(tile, mode),
    ...[...localGet(panelAt + panels - 1), ...localSet(b)],
    ...advance(c, width * 4),
    ...advance(n, -width),
    ...[branch, 0, end, end],
    ...[...localGet(n), isZero, ...ifTrue, ...constant(rows), leave, end],
  ];
}

/** Sets consecutive locals to the addresses of rows or panels. */
function startOf(pointers: number, count: number, first: number, distance: Code): Code {
  return range(count).flatMap((i) =>
    i === 0
      ? [...localGet(first), ...localSet(pointers)]
      : [...localGet(pointers + i - 1), ...distance, add, ...localSet(pointers + i)],
  );
}

/** Repeats `code`, which handles `count` of K each time. */
function whileLeft(count: number, code: Code): Code {
  const leaveIfLess = [...localGet(left), ...constant(count), lessUnsigned, branchIf, 1];
  return [...block, ...loop, ...leaveIfLess, ...code, ...advance(left, -count), branch, 0, end, end];
}

/** sum += A[row, k] · B[k, columns], for `count` k in turn. */
function step({ rows, panels }: Tile, count: number): Code {
  const many = count === unrolled;
  const loads = range(rows).flatMap((row) => [...localGet(rowAt + row), ...load(0), ...localSet(values + row)]);
  const factor = (row: number, i: number) =>
    many
      ? [...localGet(values + row), ...localGet(values + row), ...splatLane(i)]
      : [...localGet(rowAt + row), ...loadSplat];
  const products = range(count).flatMap((i) => [
    ...range(rows).flatMap((row) => [...factor(row, i), ...localSet(factors + row)]),
    ...range(panels * vectorsInPanel).flatMap((vector) => [
      ...localGet(panelAt + Math.floor(vector / vectorsInPanel)),
      ...[...load(panelBytes * i + 16 * (vector % vectorsInPanel)), ...localSet(columns)],
      ...range(rows).flatMap((row) => addProduct(sums + row * vectorsInPanel + vector, factors + row)),
    ]),
  ]);
  return [
    ...(many ? loads : []),
    ...products,
    ...range(rows).flatMap((row) => advance(rowAt + row, 4 * count)),
    ...range(panels).flatMap((panel) => advance(panelAt + panel, panelBytes * count)),
  ];
}

function addProduct(sum: number, factor: number): Code {
  return [
    ...localGet(sum),
    ...localGet(factor),
    ...localGet(columns),
    ...multiplyVectors,
    ...addVectors,
    ...localSet(sum),
  ];
}

/** Stores the sums row by row. `left` is free by now and holds the row's address. */
function store({ rows, panels }: Tile, mode: GemmMode): Code {
  const row = (index: number) => [
    ...(index === 0 ? localGet(c) : [...localGet(c), ...localGet(ldc), ...constant(2), shiftLeft, add]),
    ...localSet(left),
    ...range(panels * vectorsInPanel).flatMap((vector) =>
      storeSum(sums + index * vectorsInPanel + vector, 16 * vector, mode),
    ),
  ];
  return range(rows).flatMap(row);
}

function storeSum(sum: number, offset: number, mode: GemmMode): Code {
  const scaled = [...localGet(scale), ...localGet(sum), ...multiplyVectors];
  const before = [...localGet(left), ...load(offset), ...addVectors];
  return [...localGet(left), ...scaled, ...(mode === 'accumulate' ? before : []), 0xfd, 0x0b, 0, ...u32(offset)];
}

function advance(local: number, distance: number): Code {
  return [...localGet(local), ...constant(distance), add, ...localSet(local)];
}

const splat = [0xfd, 0x13];
const loadSplat = [0xfd, 0x09, 0, 0];
const addVectors = [0xfd, 0xe4, 0x01];
const multiplyVectors = [0xfd, 0xe6, 0x01];
const zeroVector = [0xfd, 0x0c, ...Array<number>(16).fill(0)];
const load = (offset: number): Code => [0xfd, 0x00, 0, ...u32(offset)];
/** Copies one of four numbers to all four lanes, by a shuffle of bytes. */
const splatLane = (lane: number): Code => [0xfd, 0x0d, ...range(16).map((byte) => 4 * lane + (byte % 4))];

function range(count: number): readonly number[] {
  return [...Array(count).keys()];
}
