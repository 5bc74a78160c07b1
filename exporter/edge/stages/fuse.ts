/**
 * Fuses products of vectors with the sums that they go into: `acc + a · b` becomes one instruction of relaxed SIMD,
 * which rounds once if the processor has such an instruction. Sums are found by their instructions, whatever kernel
 * they are in; nothing else changes.
 * Source: https://github.com/WebAssembly/relaxed-simd/blob/main/proposals/relaxed-simd/Overview.md
 */

import { unexpected } from '../../../training/files/index.ts';
import { concat, Reader, vector } from '../wasm/bytes.ts';
import { end } from '../wasm/code.ts';
import { f32x4, instructions, localGet, localTee, operandsOf } from '../wasm/instructions.ts';
import {
  encodeBodies,
  encodeModule,
  encodeType,
  firstInstruction,
  parseBodies,
  parseModule,
  replaceSections,
  section,
  valueType,
} from '../wasm/module.ts';

/** A module, and the number of sums that have been fused in it. */
export interface Fused {
  readonly module: Uint8Array;
  readonly count: number;
}

/** Consecutive instructions of a body that leave one value on the stack. */
interface Expression {
  readonly code: readonly Uint8Array[];
  /** Local variables that the instructions read, and those that they write. */
  readonly reads: readonly number[];
  readonly writes: readonly number[];
  /** `factors` holds the operands if the last instruction is a multiplication. */
  readonly factors?: readonly [Expression, Expression];
}

const maddCode = Uint8Array.of(0xfd, 0x85, 0x02);

export function fuse(module: Uint8Array): Fused {
  const sections = parseModule(module);
  let count = 0;
  const bodies = parseBodies(sections).map((body) => rewrite(body, () => count++));
  return { module: encodeModule(replaceSections(sections, { [section.code]: encodeBodies(bodies) })), count };
}

/** Keeps the values on the stack as expressions for as long as the body consists of expressions only. */
function rewrite(body: Uint8Array, onFused: () => void): Uint8Array {
  const first = firstInstruction(body);
  const done: Uint8Array[] = [body.subarray(0, first)];
  const stack: Expression[] = [];
  for (const { opcode, start, end: next } of instructions(body, first)) {
    const code = body.subarray(start, next);
    const operands = operandsOf(opcode);
    if (operands === undefined || operands > stack.length) {
      done.push(...stack.splice(0).flatMap((one) => one.code), code);
      continue;
    }
    const taken = stack.splice(stack.length - operands);
    const fused = opcode === f32x4.add ? fuseSum(taken) : undefined;
    if (fused) onFused();
    stack.push(fused ?? expressionOf(opcode, code, taken));
  }
  return concat([...done, ...stack.flatMap((one) => one.code)]);
}

function expressionOf(opcode: number, code: Uint8Array, taken: readonly Expression[]): Expression {
  const local = opcode === localGet || opcode === localTee ? [new Reader(code, 1).u32()] : [];
  const [a, b] = taken;
  return {
    code: [...taken.flatMap((one) => one.code), code],
    reads: [...taken.flatMap((one) => one.reads), ...(opcode === localGet ? local : [])],
    writes: [...taken.flatMap((one) => one.writes), ...(opcode === localTee ? local : [])],
    ...(opcode === f32x4.multiply && a && b && { factors: [a, b] }),
  };
}

/**
 * Fuses a sum of two expressions. The fused instruction takes the addend last: if the addend came first, the order of
 * evaluation changes, and must not matter.
 */
function fuseSum([x, y]: readonly Expression[]): Expression | undefined {
  if (x && y?.factors && y.factors.every((factor) => commute(x, factor))) return fusedOf([...y.factors, x]);
  if (x?.factors && y) return fusedOf([...x.factors, y]);
  return undefined;
}

const fusedOf = (taken: readonly Expression[]): Expression => expressionOf(f32x4.madd, maddCode, taken);

/**
 * Is true if two expressions may be evaluated in either order. Expressions write nothing but local variables, and a
 * trap in either ends the function.
 */
function commute(one: Expression, other: Expression): boolean {
  const touches = (writes: readonly number[], { reads, writes: others }: Expression): boolean =>
    writes.some((local) => reads.includes(local) || others.includes(local));
  return !touches(one.writes, other) && !touches(other.writes, one);
}

/** @throws UserError if this host, on which images are proven, has no relaxed SIMD */
export function requireRelaxedSimd(): void {
  const zero = [0xfd, 0x0c, ...Array<number>(16).fill(0)];
  const probe = encodeModule([
    { id: section.type, payload: vector([encodeType({ parameters: [], results: [valueType.v128] })]) },
    { id: section.function, payload: vector([[0]]) },
    { id: section.code, payload: encodeBodies([concat([[0], zero, zero, zero, maddCode, [end]])]) },
  ]);
  if (WebAssembly.validate(probe)) return;
  throw unexpected('--fma', 'Node 22 or later, on which images are proven', `Node ${process.versions.node}`);
}
