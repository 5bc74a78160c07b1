/**
 * Cuts functions down to the branches that requests take: of a function that is entered, most is for other data types, shapes
 * and errors. What no case has passed becomes a trap, and Binaryen drops what only led there. An image that traps goes on with
 * the whole code (`runtime/image.ts`), so that what is missing here costs time, never an answer.
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

/** Instructions of a body that all run or none: where they begin and end. */
export interface Arm {
  readonly start: number;
  readonly end: number;
}

const opensBlock = (opcode: number): boolean => opcode === 0x02 || opcode === 0x03 || opcode === ifOpcode;
const ifOpcode = 0x04;
const unreachable = Uint8Array.of(0x00);

/** Whether an arm begins behind an instruction: either side of an `if`, and what follows a branch that may be taken. */
export const beginsArm = (opcode: number): boolean =>
  opcode === ifOpcode || opcode === otherwise || opcode === branchIf;

/** In the order in which they begin. An arm ends with the block that it is in. */
export function armsOf(body: Uint8Array): readonly Arm[] {
  const arms: { readonly start: number; end: number }[] = [];
  const blocks: (typeof arms)[] = [[]];
  for (const { opcode, start, end } of instructions(body, firstInstruction(body))) {
    if (opcode === otherwise || opcode === endOf) {
      for (const arm of blocks.pop() ?? []) arm.end = start;
      if (opcode === otherwise) blocks.push([]);
    }
    if (opensBlock(opcode)) blocks.push([]);
    if (beginsArm(opcode)) blocks.at(-1)?.push(arms[arms.push({ start: end, end }) - 1] ?? { start: end, end });
  }
  return arms;
}

/** Of all bodies. */
export const countArms = (module: Uint8Array): number =>
  parseBodies(parseModule(module)).reduce((count, body) => count + armsOf(body).length, 0);

/**
 * @param marks of all arms, body by body: 0 for those to cut
 * @param spared numbers of functions that stay as they are, among those that the module defines
 */
export function cutBranches(module: Uint8Array, marks: Uint8Array, spared: ReadonlySet<number>): Uint8Array {
  const sections = parseModule(module);
  let first = 0;
  const bodies = parseBodies(sections).map((body, i) => {
    const arms = armsOf(body);
    const own = marks.subarray(first, (first += arms.length));
    if (spared.has(i)) return body;
    return withoutArms(
      body,
      arms.filter((_, arm) => own[arm] === 0),
    );
  });
  return encodeModule(replaceSections(sections, { [section.code]: encodeBodies(bodies) }));
}

function withoutArms(body: Uint8Array, cut: readonly Arm[]): Uint8Array {
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const { start, end } of cut) {
    // Inside one that is cut already.
    if (start < at) continue;
    parts.push(body.subarray(at, start), unreachable);
    at = end;
  }
  return concat([...parts, body.subarray(at)]);
}
