/**
 * WebAssembly as text, with a function for each phrase. The engine gets instructions in the order that a kernel writes
 * them. Nothing reorders them afterwards, since the order decides what stays in registers.
 *
 * Source: https://webassembly.github.io/spec/core/text/
 */

import { at } from '../arrays/index.ts';

/** An expression that leaves a value, or a statement. */
export type Wat = string;

export const get = (local: string): Wat => `(local.get $${local})`;
export const set = (local: string, value: Wat): Wat => `(local.set $${local} ${value})`;
export const i32 = (value: number): Wat => `(i32.const ${value})`;
export const call = (name: string, ...args: readonly Wat[]): Wat => `(call $${name} ${args.join(' ')})`;
export const comment = (text: string): Wat => `;; ${text.replaceAll('\n', ' ')}`;

/** Returns the address `bytes` after another. */
export const plus = (address: Wat, bytes: number): Wat =>
  bytes === 0 ? address : `(i32.add ${address} ${i32(bytes)})`;
export const advance = (local: string, bytes: number): Wat =>
  bytes === 0 ? comment(`${local} stays`) : set(local, plus(get(local), bytes));

/** Loads four numbers, or repeats one of them four times. `offset` is not negative. */
export const load = (address: Wat, offset = 0): Wat => `(v128.load offset=${offset} align=4 ${address})`;
export const loadSplat = (address: Wat, offset = 0): Wat => `(v128.load32_splat offset=${offset} ${address})`;
export const store = (address: Wat, value: Wat, offset = 0): Wat =>
  `(v128.store offset=${offset} align=4 ${address} ${value})`;
/** Loads or stores one lane of a vector. */
export const storeLane = (lane: number, address: Wat, value: Wat, offset = 0): Wat =>
  `(v128.store32_lane offset=${offset} ${lane} ${address} ${value})`;
export const loadLane = (lane: number, address: Wat, into: Wat, offset = 0): Wat =>
  `(v128.load32_lane offset=${offset} ${lane} ${address} ${into})`;

/** Applies a vector instruction, such as `f32x4.add`. */
export const vector = (instruction: string, ...args: readonly Wat[]): Wat => `(${instruction} ${args.join(' ')})`;

const bits = new Uint32Array(1);
const floats = new Float32Array(bits.buffer);

/**
 * Returns a vector with the same float32 in each lane. It is written by its bits, so that NaN and infinities work, too.
 */
export function splat(value: number): Wat {
  floats[0] = value;
  const hex = `0x${at(bits, 0).toString(16)}`;
  return `(v128.const i32x4 ${hex} ${hex} ${hex} ${hex})`;
}

export const splatInt = (value: number): Wat => `(v128.const i32x4 ${value} ${value} ${value} ${value})`;
export const zero = splat(0);

/** Picks lanes of two vectors by number: 0 to 3 of `a`, 4 to 7 of `b`. */
export function shuffle(lanes: readonly number[], a: Wat, b: Wat = a): Wat {
  const bytes = lanes.flatMap((lane) => [4 * lane, 4 * lane + 1, 4 * lane + 2, 4 * lane + 3]);
  return `(i8x16.shuffle ${bytes.join(' ')} ${a} ${b})`;
}

/** Returns the mask of the first lanes of a vector. */
export const firstLanes = (count: number): Wat =>
  `(v128.const i32x4 ${range(4)
    .map((lane) => (lane < count ? -1 : 0))
    .join(' ')})`;

/** Returns the mask of the lanes in the last vector of a row that belong to it. */
export const lastLanes = (count: number): Wat => firstLanes(((count - 1) % 4) + 1);

/** Repeats one lane four times. */
export const spread = (lane: number, value: Wat): Wat => shuffle([lane, lane, lane, lane], value);

/** Repeats `body` `times` times, which must be at least once. The counter goes down to 1. */
export function repeat(counter: string, times: number | Wat, body: readonly Wat[]): readonly Wat[] {
  if (times === 1) return body;
  return [
    set(counter, typeof times === 'number' ? i32(times) : times),
    `(loop $${counter}_loop`,
    ...body.map(indent),
    `  (br_if $${counter}_loop (local.tee $${counter} (i32.sub ${get(counter)} (i32.const 1)))))`,
  ];
}

const indent = (line: Wat): Wat => `  ${line}`;

export type Locals = Readonly<Record<string, 'i32' | 'v128'>>;

/** A function without its name, so that equal functions are shared. Parameters are addresses and counts. */
export interface Code {
  readonly about: readonly string[];
  readonly params: readonly string[];
  readonly locals: Locals;
  readonly body: readonly Wat[];
}

/** @param exported the name under which a host finds the function */
export function functionText(name: string, { about, params, locals, body }: Code, exported?: string): string {
  const declared = [
    ...(exported === undefined ? [] : [`(export "${exported}")`]),
    ...params.map((param) => `(param $${param} i32)`),
    ...Object.entries(locals).map(([local, type]) => `(local $${local} ${type})`),
  ];
  return [...about.map(comment), `(func $${name} ${declared.join(' ')}`, ...body.map(indent), ')'].join('\n');
}

/**
 * Imports a memory of the host.
 *
 * @param maximum in pages, if threads share it
 */
export const importedMemory = (maximum?: number): Wat =>
  `(import "host" "memory" ${maximum === undefined ? '(memory 1)' : `(memory 1 ${maximum} shared)`})`;

export const localsOf = (type: 'i32' | 'v128', ...names: readonly string[]): Locals =>
  Object.fromEntries(names.map((name) => [name, type]));

export const range = (length: number): readonly number[] => Array.from({ length }, (_, i) => i);
