/**
 * Compiles a graph of elementwise chains and sums over memory that the caller owns: inputs and outputs lie at given
 * addresses, and an output at an input's address replaces it. All sizes are known, and there is no batch. An
 * optimizer's step is such a graph.
 *
 *     graph ── schedule ──▶ passes ── pass-code ──▶ text ── encode ──▶ module
 */
import { type Graph, liveNodes, type Value } from '../../graph/index.ts';
import { vectorBytes, vectorsFor } from '../buffer.ts';
import { sizeOf } from '../lower/lowering.ts';
import {
  advance,
  call,
  type Code,
  comment,
  functionText,
  get,
  i32,
  importedMemory,
  load,
  loadSplat,
  localsOf,
  repeat,
  store,
  storeLane,
  type Wat,
} from '../wat.ts';
import { encodeText } from './encode.ts';
import { passCode } from './pass-code.ts';
import { aboutPass, type Folding, type Pass, readsOfPass, schedule, valuesOf } from './schedule.ts';

export interface Placement {
  /**
   * Maps the name of each input and output to its address in bytes. Vectors of four are read and written whole, so a
   * value of more than one element occupies a multiple of 16 bytes. Two values either have the same address or do not
   * overlap.
   */
  readonly addresses: ReadonlyMap<string, number>;
  /** The first address after all of them, where values between two passes are stored. */
  readonly scratch: number;
}

export interface PassProgram {
  /**
   * The module imports `host.memory` and exports `run`. For threads that share the memory it also exports the pieces of
   * `run`: for each pass `pass0`, `pass1`, … of (part, part after the last), where it has parts, and `after0`,
   * `after1`, …; then `copies`, which comes last.
   */
  readonly wasm: Uint8Array<ArrayBuffer>;
  /** The number of parts of each pass. */
  readonly parts: readonly number[];
  /** The size of the memory in bytes. */
  readonly memoryBytes: number;
}

/**
 * @param maximum of the memory in pages, if threads share it
 * @throws CompileError that names what is not covered
 */
export function compilePasses(graph: Graph, placement: Placement, maximum?: number): PassProgram {
  const { text, ...program } = translate(graph, placement, maximum);
  return { ...program, wasm: encodeText(text) };
}

function translate({ nodes: all, inputs, outputs }: Graph, placement: Placement, maximum?: number) {
  const { nodes } = liveNodes(all, outputs);
  const passes = schedule(nodes, outputs);
  const plan = planPasses(passes, inputs, outputs, placement);
  const codes = passes.map((pass) => passCode(pass, plan));
  const exported = (name: string, code: Code) => functionText(name, code, name);
  const functions = codes.flatMap(({ each, after }, i) => [
    ...(each ? [exported(`pass${i}`, each)] : []),
    exported(`after${i}`, after),
  ]);
  const copies = plan.copies.map((copy, i) => functionText(`copy${i}`, copyCode(copy)));
  const calling = (body: readonly Wat[]): Code => ({ about: [], params: [], locals: {}, body });
  const calls = codes.flatMap(({ parts }, i) => [
    ...passes.slice(i, i + 1).map((pass) => comment(aboutPass(pass))),
    ...(parts > 0 ? [call(`pass${i}`, i32(0), i32(parts))] : []),
    call(`after${i}`),
  ]);
  const text = [
    '(module',
    importedMemory(maximum),
    ...functions,
    ...copies,
    exported('copies', calling(plan.copies.map((_, i) => call(`copy${i}`)))),
    exported('run', calling([...calls, call('copies')])),
    ')',
  ].join('\n');
  return { text, parts: codes.map(({ parts }) => parts), memoryBytes: plan.end() };
}

interface Copy {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

/** Copies each vector i: to[i] = from[i]. */
function copyCode({ from, to, count }: Copy): Code {
  const body =
    count === 1
      ? [storeLane(0, i32(0), loadSplat(i32(0), from), to)]
      : repeat('n', vectorsFor(count), [store(get('i'), load(get('i'), from), to), advance('i', vectorBytes)]);
  return { about: [], params: [], locals: localsOf('i32', 'i', 'n'), body };
}

/** Assigns an address to each value that is in memory between passes. */
function planPasses(
  passes: readonly Pass[],
  inputs: readonly Value[],
  outputs: readonly Value[],
  { addresses, scratch }: Placement,
) {
  const given = (value: Value): number => {
    const address = addresses.get(value.name);
    if (address === undefined) throw new Error(`internal: ${value.name} has no address`);
    return address;
  };
  const places = new Map(inputs.map((value) => [value.name, given(value)]));
  const isOutput = new Set(outputs.map(({ name }) => name));
  const reads = passes.map(readsOfPass);
  const copies: Copy[] = [];
  let end = scratch;
  const reserve = (value: Value): number => {
    const address = end;
    end += vectorBytes * vectorsFor(sizeOf(value));
    return address;
  };
  /** Is true where a later pass still reads the input that an output would replace. */
  const isEarly = (address: number, pass: number): boolean =>
    inputs.some((input) => given(input) === address && reads.slice(pass + 1).some((read) => read.has(input.name)));
  const readByOthers = new Set(reads.flatMap((names) => [...names]));
  const isKept = ({ name }: Value): boolean => isOutput.has(name) || readByOthers.has(name);
  passes.forEach((pass, index) => {
    for (const value of valuesOf(pass)) {
      if (!isOutput.has(value.name)) {
        if (readByOthers.has(value.name)) places.set(value.name, reserve(value));
        continue;
      }
      const to = given(value);
      const from = isEarly(to, index) ? reserve(value) : to;
      places.set(value.name, from);
      if (from !== to) copies.push({ from, to, count: sizeOf(value) });
    }
  });
  const addressOf = ({ name }: Value): number => {
    const address = places.get(name);
    if (address === undefined) throw new Error(`internal: ${name} is read before it is computed`);
    return address;
  };
  const sumsAt = (_: Folding, parts: number): number => {
    const address = end;
    end += vectorBytes * parts;
    return address;
  };
  return { addressOf, isKept, sumsAt, copies, end: () => end };
}
