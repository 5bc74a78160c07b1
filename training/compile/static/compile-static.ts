/**
 * Compiles a graph whose sizes are all known, including the mini-batch's, to one module over one memory: a whole
 * training step, for example. An output can replace an input, as a parameter after the step replaces the one before it.
 *
 *     graph ── prepare ──▶ nodes ── lower ──▶ kernels ── arena ──▶ addresses ── emit ──▶ text ── encode ──▶ module
 *
 * The kernels are those of models (`../kernels`), but a chain of elementwise nodes may write several values at once.
 */
import { at } from '../../arrays/index.ts';
import { type DType, type Graph, liveNodes, type Value } from '../../graph/index.ts';
import { planMemory, type Segment } from '../arena.ts';
import { type Buffer, Plain, type Stored } from '../buffer.ts';
import { CompileError } from '../error.ts';
import { copy } from '../kernels/copy.ts';
import type { Kernel } from '../kernels/kernel.ts';
import { lower } from '../lower/index.ts';
import { Lowering, sizeOf } from '../lower/lowering.ts';
import { moduleText } from '../module.ts';
import { encodeText } from '../passes/encode.ts';
import type { Threads } from '../threads.ts';
import { prepare } from './prepare.ts';

export interface StaticOptions {
  /** Maps an output's name to the input that it replaces, which has the same shape and type. */
  readonly inPlace?: ReadonlyMap<string, string>;
  /** Rounds products and sums once, by relaxed SIMD, which the host must support. Default: false. */
  readonly fma?: boolean;
  /** The number of threads that run a step together, with the same bits as one thread. Default: 1. */
  readonly threads?: Threads;
}

/**
 * The position of an input or output. Each element takes four bytes: a float32 or an integer of 32 bits; a boolean is 0
 * or −1.
 */
export interface StaticPort {
  readonly name: string;
  readonly dtype: DType;
  readonly count: number;
  readonly offset: number;
}

export interface StaticProgram {
  /**
   * The module imports `host.memory` and exports `run`. With two threads, whose memory is shared, the second one runs
   * `help`, which does its part of every `run` and never returns.
   */
  readonly wasm: Uint8Array<ArrayBuffer>;
  readonly threads: Threads;
  /** The size of the memory in bytes. */
  readonly memoryBytes: number;
  /** The data that must be in memory before the first run. */
  readonly segments: readonly Segment[];
  readonly inputs: readonly StaticPort[];
  readonly outputs: readonly StaticPort[];
}

/** The maximum number of values that a chain of elementwise nodes writes: each needs another pointer. */
const maxResults = 6;

/** Vectors may be read beyond the last buffer by this many bytes. */
const slack = 256;

/** @throws CompileError that names what is not covered */
export function compileStatic(graph: Graph, options: StaticOptions = {}): StaticProgram {
  const { text, plan, ...ports } = translate(graph, options);
  const { threads = 1 } = options;
  return { wasm: encodeText(text), threads, memoryBytes: plan.bytes + slack, segments: plan.segments, ...ports };
}

/** Returns the module in WebAssembly's text format, with comments. */
export const staticToText = (graph: Graph, options: StaticOptions = {}): string => translate(graph, options).text;

function translate(graph: Graph, { inPlace = new Map(), fma = false, threads = 1 }: StaticOptions) {
  requireSizes(graph);
  const { nodes, resolve } = prepare(liveNodes(graph.nodes, graph.outputs).nodes);
  const results = graph.outputs.map(resolve);
  const flushed = results.filter((_, i) => inPlace.has(at(graph.outputs, i).name));
  const lowering = new Lowering(nodes, results, { maxResults, flushed });
  const entries = new Map(graph.inputs.map((value) => [value.name, lowering.newPlain(value)] as const));
  for (const node of nodes) if (!lowering.isDone(node)) lower(lowering, node);
  const computed = results.map((value) => lowering.plain({ name: value.name, op: 'Identity' }, value));
  const targets = graph.outputs.map(({ name }, i): Plain | Stored => {
    const replaced = inPlace.get(name);
    return (replaced === undefined ? undefined : entries.get(replaced)) ?? at(computed, i);
  });
  const inputs = [...entries.values()];
  const { kernels, aliases } = writtenInPlace(lowering.kernels, new Set<Buffer>(inputs), computed, targets);
  const plan = planMemory(kernels, inputs, [...targets, ...inputs], { aliases });
  const port = ({ name, dtype, shape }: Value, buffer: Buffer): StaticPort => {
    const offset = plan.addresses.get(buffer);
    if (offset === undefined) throw new Error(`internal: ${name} has no address`);
    return { name, dtype, count: sizeOf({ shape }), offset };
  };
  return {
    text: moduleText(kernels, plan, { fma, memory: 'imported', threads }),
    plan,
    inputs: graph.inputs.map((value, i) => port(value, at(inputs, i))),
    outputs: graph.outputs.map((value, i) => port(value, at(targets, i))),
  };
}

function requireSizes({ inputs }: Graph): void {
  const free = inputs.find(({ shape }) => shape.some((dim) => typeof dim === 'string'));
  if (free) throw new CompileError(`${free.name}: expected sizes in numbers, got [${free.shape.join(', ')}]`);
}

/**
 * Returns the kernels, followed by copies of values that cannot be written in place. A value can where no kernel reads
 * the old numbers after the kernel that writes the new ones, and that kernel reads each number before it overwrites it.
 */
function writtenInPlace(
  all: readonly Kernel[],
  inputs: ReadonlySet<Buffer>,
  computed: readonly (Plain | Stored)[],
  targets: readonly Buffer[],
) {
  const copies: Kernel[] = [];
  const aliases = new Map<Buffer, Buffer>();
  computed.forEach((from, i) => {
    const to = at(targets, i);
    if (!(to instanceof Plain) || to === from) return;
    if (inputs.has(from)) throw new CompileError(`${to.name}: expected a value that is computed, got ${from.name}`);
    const writer = all.findIndex(({ writes }) => writes.some((buffer) => buffer === from));
    const isSafe = all.every(
      ({ reads, overwrites = [] }, reader) =>
        !reads.includes(to) || reader < writer || (reader === writer && overwrites.includes(to)),
    );
    if (writer >= 0 && isSafe && !aliases.has(from)) aliases.set(from, to);
    else {
      const whole = { from, counts: [to.count], fromAt: 0, fromStrides: [1], toAt: 0, toStrides: [1] };
      copies.push(copy(to.name, to, [whole]));
    }
  });
  return { kernels: [...all, ...copies], aliases };
}
