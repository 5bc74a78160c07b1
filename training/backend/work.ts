/** Counts the arithmetic of a graph, and decides how many threads that is worth. */
import { type Graph, type OpNode, type OpType, type Shape, sizeIfKnown } from '../graph/index.ts';

/**
 * Counts the multiplications of a graph's matrix products and convolutions; a loop's body counts for one iteration.
 *
 * @returns undefined where a shape is known at run time only
 */
export function multiplicationsOf(graph: Graph): number | undefined {
  const counts = graph.nodes.map(countNode);
  return counts.every((count) => count !== undefined) ? counts.reduce((sum, count) => sum + count, 0) : undefined;
}

function countNode<Op extends OpType>(node: OpNode<Op>): number | undefined {
  const count = counting[node.op];
  return count ? count(node) : 0;
}

/** Counts the multiplications of a node. Ops without an entry read each element a few times at most. */
const counting: { readonly [Op in OpType]?: (node: OpNode<Op>) => number | undefined } = {
  Loop: ({ attributes }) => multiplicationsOf(attributes.body),
  MatMul: ({ inputs: [A], outputs: [Y] }) => product(Y.shape, A.shape.slice(-1)),
  Gemm: ({ inputs: [A], outputs: [Y], attributes }) =>
    product(Y.shape, attributes.transA ? A.shape.slice(0, 1) : A.shape.slice(1)),
  Conv: ({ inputs: [, W], outputs: [Y] }) => product(Y.shape, W.shape.slice(1)),
  ConvTranspose: ({ inputs: [X, W] }) => product(X.shape, W.shape.slice(1)),
};

const product = (...shapes: readonly Shape[]): number | undefined => sizeIfKnown(shapes.flat());

/**
 * The multiplications that a thread has to save to be worth waking up. Measured on two cores (AMD EPYC, AVX-512), with
 * the state in place and threads asleep between ops: steps of mnist-mlp at batch 64 (0.04 · 10⁹) are as fast on one
 * thread, at 128 (0.08 · 10⁹) 1.2 times faster on two, at 256 more.
 */
const multiplicationsPerThread = 0.05e9;

/**
 * Returns the number of threads for a graph. It depends on the graph and the machine's cores alone, never on a
 * measurement, since it decides the last bits.
 */
export function threadsFor(graph: Graph, cores: number): number {
  const multiplications = multiplicationsOf(graph);
  return multiplications === undefined ? cores : threadsForWork(multiplications, cores);
}

const threadsForWork = (multiplications: number, cores: number): number =>
  Math.min(Math.max(Math.round(multiplications / multiplicationsPerThread), 1), cores);

/** The factor by which processors differ at most in what a thread is worth. */
const doubt = 4;

/** Returns the numbers of threads that may be fastest, from few to many, or a single one if it is certain. */
export function threadsInDoubt(graph: Graph, cores: number): readonly number[] {
  const multiplications = multiplicationsOf(graph);
  if (multiplications === undefined) return [cores];
  return [...new Set([1 / doubt, 1, doubt].map((factor) => threadsForWork(factor * multiplications, cores)))];
}

export const threadCount = (threads: number): string => `${threads} ${threads === 1 ? 'thread' : 'threads'}`;
