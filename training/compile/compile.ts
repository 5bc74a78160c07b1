/**
 * Compiles a graph to a program without interpreter, allocator or imports. Every size is known and every buffer has its
 * address before the program runs.
 *
 *     graph ── simplify ──▶ nodes of one sample ── lower ──▶ kernels ── plan ──▶ addresses ── emit ──▶ text ──▶ module
 */
import type { DType, Graph } from '../graph/index.ts';
import { at, elementCount } from '../arrays/index.ts';
import type { CompactType } from './compact-weights.ts';
import { type MemoryPlan, planMemory } from './arena.ts';
import { CompileError } from './error.ts';
import { Lowering, shapeOf } from './lower/lowering.ts';
import { lower } from './lower/index.ts';
import { assemble, moduleText } from './module.ts';
import { type Port, simplify } from './simplify/simplify.ts';
import type { Kernel } from './kernels/kernel.ts';
import type { Buffer } from './buffer.ts';

export interface CompileOptions {
  /**
   * Rounds products and sums once, by relaxed SIMD. It is faster where the processor has such an instruction, but gives
   * other bits. Default: false.
   */
  readonly fma?: boolean;
  /**
   * The type that weights of products are stored as, where they have been rounded to it; the module then has half or a
   * quarter of the size. Dense layers compute with 8-bit integers directly; all other weights are expanded to single
   * precision when the program starts. Default: float32.
   */
  readonly weights?: 'float32' | CompactType;
}

/** An input or output of a program. */
export interface ProgramPort {
  readonly name: string;
  readonly dtype: DType;
  /** The shape in the graph; a string is the free dimension of the batch. */
  readonly shape: readonly (number | string)[];
  /**
   * The number of elements of one sample. Each takes four bytes: a float32, an integer of 32 bits, or a boolean as 0 or
   * −1.
   */
  readonly count: number;
  /** The address of the elements. */
  readonly offset: number;
  /** Is true where each sample has its own value, and false where all samples share it. */
  readonly perSample: boolean;
}

export interface Program {
  readonly wasm: Uint8Array;
  readonly inputs: readonly ProgramPort[];
  readonly outputs: readonly ProgramPort[];
  /** The size of the memory that values share while the program runs. */
  readonly arenaBytes: number;
}

/**
 * Compiles a graph. The module exports `memory` and `run`, which reads the inputs of one sample from memory and writes
 * its outputs.
 *
 * @throws CompileError that names what is not covered
 */
export async function compile(graph: Graph, options: CompileOptions = {}): Promise<Program> {
  const { text, plan, inputs, outputs } = translate(graph, options);
  return { wasm: await assemble(text, plan), inputs, outputs, arenaBytes: plan.arenaBytes };
}

/** Returns the module in WebAssembly's text format, with comments, without the stored numbers. */
export const compileToText = (graph: Graph, options: CompileOptions = {}): string => translate(graph, options).text;

interface Translation {
  readonly text: string;
  readonly plan: MemoryPlan;
  readonly inputs: readonly ProgramPort[];
  readonly outputs: readonly ProgramPort[];
}

function translate(graph: Graph, { fma = false, weights = 'float32' }: CompileOptions): Translation {
  // Scaling by anything but a power of two would move halfs to values that halfs cannot represent.
  const { nodes, inputs, outputs } = simplify(graph, { fold: weights !== 'float16' });
  const compact = weights === 'float32' ? undefined : weights;
  const results = outputs.map(({ value }) => value);
  const lowering = new Lowering(nodes, results, { weights: compact });
  const entries = inputs.map(({ value }) => lowering.newPlain(value));
  for (const node of nodes) if (!lowering.isDone(node)) lower(lowering, node);
  const answers = outputs.map(({ value, name }) => lowering.plain({ name, op: 'Identity' }, value));
  const kernels: readonly Kernel[] = lowering.kernels;
  const plan = planMemory(kernels, entries, answers, { compact });
  if (plan.bytes > maxBytes) throw new CompileError(`expected a program of at most ${maxBytes / 2 ** 20} MB`);
  return {
    text: moduleText(kernels, plan, { fma }),
    plan,
    inputs: inputs.map((port, i) => portOf(port, at(entries, i), plan)),
    outputs: outputs.map((port, i) => portOf(port, at(answers, i), plan)),
  };
}

/** The limit of a Worker's memory. */
const maxBytes = 128 * 2 ** 20;

function portOf({ name, shape, value, isPerSample }: Port, buffer: Buffer, plan: MemoryPlan): ProgramPort {
  const offset = plan.addresses.get(buffer);
  if (offset === undefined) throw new Error(`internal: ${name} has no address`);
  return { name, dtype: value.dtype, shape, count: elementCount(shapeOf(value)), offset, perSample: isPerSample };
}
