/** Decides which steps are compiled: those so small that calls of a runtime would take most of their time. */
import { type Backend, multiplicationsOf } from '../../backend/index.ts';
import { CompileError, compileStatic, type StaticProgram, type Threads } from '../../compile/index.ts';
import type { Graph } from '../../graph/index.ts';
import { lower } from '../../lowering/index.ts';
import { carriedState } from '../state.ts';
import type { StepProblem } from '../step-problem.ts';
import { afterName, stepGraph } from './step-graph.ts';

/**
 * The maximum number of multiplications of a small step. Above it, ONNX Runtime's wider vectors win. Measured on a
 * processor with AVX-512, in samples per second of CPU time: at 0.3 · 10⁶ the compiled step does 8 times as many, at
 * 1.3 · 10⁶ 3 times, at 8 · 10⁶ 1.8 times, at 16 · 10⁶ as many, at 33 · 10⁶ 0.75 times.
 */
const maxMultiplications = 12e6;

/**
 * The number of multiplications up to which two threads with 128-bit vectors may be ahead, where the runtime's vectors
 * are narrow as well because the processor has no AVX-512.
 */
const maxInDoubt = 4 * maxMultiplications;

/**
 * The number of multiplications below which half of a step is shorter than what it costs two threads to synchronize: at
 * 1 · 10⁶ two take 1.15 of the time of one, at 2.7 · 10⁶ 0.85.
 */
const minForTwo = 2e6;

type SomeStep = Pick<StepProblem, 'plan' | 'options'>;

/** Is true when calls of a runtime would take most of a step's time. */
export const isSmallStep = ({ plan, options }: SomeStep): boolean =>
  isWithin(stepGraph(plan, options), maxMultiplications);

/** Is true when two threads may take a compiled step faster than any other way. */
export function mayShare({ plan, options }: SomeStep): boolean {
  const graph = stepGraph(plan, options);
  return isWithin(graph, maxInDoubt) && !isWithin(graph, minForTwo);
}

/**
 * Returns the maximum number of threads of a compiled step: two where several are asked for and memory can be shared,
 * else one. The bits of a step are the same on one as on two.
 */
export const maxThreads = ({ threads = 1, sharesMemory = false }: Pick<Backend, 'threads' | 'sharesMemory'>): Threads =>
  threads > 1 && sharesMemory ? 2 : 1;

const isWithin = (graph: Graph, max: number): boolean => (multiplicationsOf(graph) ?? Infinity) <= max;

/**
 * Compiles a small step. Whether a step is compiled follows from the network, the settings and the version of the
 * engine alone, since it decides the last bits.
 *
 * @param max the maximum number of multiplications, for callers that also take steps which do not pay on every machine,
 * and of threads, which change no bit
 * @returns undefined for a step that is large, that the compiler does not cover, or whose vector instructions this
 * engine does not have
 */
export function compiledStep(
  problem: SomeStep,
  max: { readonly multiplications?: number | undefined; readonly threads?: Threads } = {},
): StaticProgram | undefined {
  const { plan, options } = problem;
  const graph = stepGraph(plan, options);
  if (!isWithin(graph, max.multiplications ?? maxMultiplications)) return undefined;
  const threads = isWithin(graph, minForTwo) ? 1 : max.threads;
  const inPlace = new Map([...carriedState(plan, options).keys()].map((name) => [afterName(name), name]));
  try {
    const lowered = lower(graph, 'compiled');
    const fused = compileStatic(lowered, { inPlace, fma: true, ...(threads && { threads }) });
    if (WebAssembly.validate(fused.wasm)) return fused;
    const plain = compileStatic(lowered, { inPlace, ...(threads && { threads }) });
    return WebAssembly.validate(plain.wasm) ? plain : undefined;
  } catch (error) {
    if (error instanceof CompileError) return undefined;
    throw error;
  }
}
