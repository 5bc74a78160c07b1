/**
 * Cuts functions down to the branches that requests take: most of an entered function is for other data types, shapes
 * and errors. Branches that no case has taken become traps, and Binaryen drops the code that only led there. An image
 * that traps switches to the whole code (`runtime/image.ts`), so that a missing branch costs time, and never makes an
 * answer wrong.
 */

import { concat } from '../wasm/bytes.ts';
import { end as endOf, branchIf, otherwise } from '../wasm/code.ts';
import { instructions } from '../wasm/instructions.ts';
import {
  encodeBodies,
  encodeModule,
  firstInstruction,
  parseBodies,
  parseModule,
  replaceSections,
  section,
} from '../wasm/module.ts';

/** Instructions of a body of which all run or none, by the offsets at which they begin and end. */
export interface Arm {
  readonly start: number;
  readonly end: number;
}

const opensBlock = (opcode: number): boolean => opcode === 0x02 || opcode === 0x03 || opcode === ifOpcode;
const ifOpcode = 0x04;
const unreachable = Uint8Array.of(0x00);

/** Is true if an arm begins after an instruction: either side of an `if`, or the code after a conditional branch. */
export const beginsArm = (opcode: number): boolean =>
  opcode === ifOpcode || opcode === otherwise || opcode === branchIf;

/** Returns the arms in the order in which they begin. An arm ends with the block that it is in. */
export function armsOf(body: Uint8Array): readonly Arm[] {
  const arms: { readonly start: number; end: number }[] = [];
  const blocks: (typeof arms)[] = [[]];
  for (const { opcode, start, end } of instructions(body, firstInstruction(body))) {
    if (opcode === otherwise || opcode === endOf) {
      for (const arm of blocks.pop() ?? []) arm.end = start;
      if (opcode === otherwise) blocks.push([]);
    }
    if (opensBlock(opcode)) blocks.push([]);
    if (beginsArm(opcode)) {
      const arm = { start: end, end };
      arms.push(arm);
      blocks.at(-1)?.push(arm);
    }
  }
  return arms;
}

/** Counts the arms of all bodies. */
export const countArms = (module: Uint8Array): number =>
  parseBodies(parseModule(module)).reduce((count, body) => count + armsOf(body).length, 0);

/**
 * Replaces arms by traps.
 *
 * @param marks one for each arm, body by body: 0 for those to cut
 * @param spared numbers of functions that stay as they are, among those that the module defines
 */
export function cutBranches(module: Uint8Array, marks: Uint8Array, spared: ReadonlySet<number>): Uint8Array {
  const sections = parseModule(module);
  let first = 0;
  const bodies = parseBodies(sections).map((body, i) => {
    const arms = armsOf(body);
    const own = marks.subarray(first, first + arms.length);
    first += arms.length;
    const cut = arms.filter((_, arm) => own[arm] === 0);
    return spared.has(i) ? body : withoutArms(body, cut);
  });
  return encodeModule(replaceSections(sections, { [section.code]: encodeBodies(bodies) }));
}

function withoutArms(body: Uint8Array, cut: readonly Arm[]): Uint8Array {
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const { start, end } of cut) {
    // This arm lies inside one that is cut already.
    if (start < at) continue;
    parts.push(body.subarray(at, start), unreachable);
    at = end;
  }
  return concat([...parts, body.subarray(at)]);
}
