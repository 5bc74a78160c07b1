/** Encodes the instructions of functions that the build adds to a module. */

import { s64, u32 } from './bytes.ts';

export type Code = readonly number[];

export const localGet = (index: number): Code => [0x20, ...u32(index)];
export const localSet = (index: number): Code => [0x21, ...u32(index)];
export const localTee = (index: number): Code => [0x22, ...u32(index)];
export const globalGet = (index: number): Code => [0x23, ...u32(index)];
export const globalSet = (index: number): Code => [0x24, ...u32(index)];
export const call = (index: number): Code => [0x10, ...u32(index)];

export const constant = (value: number): Code => [0x41, ...s64(BigInt(value | 0))];
/** Instructions on 32-bit integers. */
export const [isZero, lessUnsigned, notLessUnsigned] = [0x45, 0x49, 0x4f];
export const [add, subtract, and, or, shiftLeft, shiftRight] = [0x6a, 0x6b, 0x71, 0x72, 0x74, 0x76];

/**
 * Open blocks without a result. A branch is followed by the number of enclosing blocks to skip: 0 for the innermost.
 */
export const [block, loop, ifTrue] = [
  [0x02, 0x40],
  [0x03, 0x40],
  [0x04, 0x40],
];
export const [otherwise, end, branch, branchIf, leave] = [0x05, 0x0b, 0x0c, 0x0d, 0x0f];
