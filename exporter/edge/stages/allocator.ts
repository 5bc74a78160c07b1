/**
 * Finds the functions of a module that are its allocator. Which branches they take depends on everything that was
 * allocated before, so that cases cannot show which branches a request takes.
 */

import { Reader } from '../wasm/bytes.ts';
import { instructions } from '../wasm/instructions.ts';
import { definedFunction, firstInstruction, parseBodies, parseModule, summarizeImports } from '../wasm/module.ts';
import type { ExportNames } from './names.ts';

const [callOpcode, constantOpcode] = [0x10, 0x41];
/** Static data begin here: a smaller number may be a size or a flag. */
const firstAddress = 65_536;

interface Mentioned {
  readonly addresses: ReadonlySet<number>;
  /** Function numbers among those that the module defines. */
  readonly called: ReadonlySet<number>;
}

/**
 * Finds the functions that name an address which both malloc and free name, as they do with the state of the heap, and
 * all functions that these call.
 *
 * @returns numbers among the functions that the module defines
 */
export function allocatorIn(module: Uint8Array, names: Pick<ExportNames, 'malloc' | 'free'>): ReadonlySet<number> {
  const sections = parseModule(module);
  const imported = summarizeImports(sections).functions;
  const mentioned = parseBodies(sections).map((body) => mentionedIn(body, imported));
  const [malloc, free] = [definedFunction(sections, names.malloc), definedFunction(sections, names.free)];
  const freed = mentioned[free]?.addresses ?? new Set();
  const state = new Set([...(mentioned[malloc]?.addresses ?? [])].filter((address) => freed.has(address)));
  const found = new Set([malloc, free]);
  mentioned.forEach(({ addresses }, i) => {
    if ([...state].some((address) => addresses.has(address))) found.add(i);
  });
  // Iterating over a set includes what is added on the way.
  for (const one of found) for (const callee of mentioned[one]?.called ?? []) found.add(callee);
  return found;
}

function mentionedIn(body: Uint8Array, imported: number): Mentioned {
  const [addresses, called] = [new Set<number>(), new Set<number>()];
  for (const { opcode, start, memoryOffset } of instructions(body, firstInstruction(body))) {
    const number = () => new Reader(body, start + 1).u32();
    if (opcode === callOpcode && number() >= imported) called.add(number() - imported);
    const address = opcode === constantOpcode ? number() : memoryOffset;
    if (address >= firstAddress && address < 2 ** 31) addresses.add(address);
  }
  return { addresses, called };
}
