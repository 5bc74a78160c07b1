/** Counts the arithmetic of a graph, and decides how many threads that is worth. */
import { elementCount } from '../arrays/index.ts';
import type { Graph, OpNode, OpType, Value } from '../graph/index.ts';

/**
 * Counts the multiplications of a graph's matrix products and convolutions; a loop's body counts for one iteration.
 *
 * @returns undefined where a shape is known at run time only
 */
export function multiplicationsOf(graph: Graph): number | undefined {
  const sum = countNodes(graph);
  return Number.isNaN(sum) ? undefined : sum;
}

const countNodes = ({ nodes }: Graph): number => nodes.reduce((sum, node) => sum + countNode(node), 0);

function countNode<Op extends OpType>(node: OpNode<Op>): number {
  return counts[node.op]?.(node) ?? 0;
}

/** Counts the multiplications of a node. Ops without an entry read each element a few times at most. */
const counts: { readonly [Op in OpType]?: (node: OpNode<Op>) => number } = {
  Loop: ({ attributes }) => countNodes(attributes.body),
  MatMul: ({ inputs: [A], outputs: [Y] }) => elements(Y) * Number(A.shape.at(-1)),
  Gemm: ({ inputs: [A], outputs: [Y], attributes }) => elements(Y) * Number(A.shape[attributes.transA ? 0 : 1]),
  Conv: ({ inputs: [, W], outputs: [Y] }) => elements(Y) * elementsOfOne(W),
  ConvTranspose: ({ inputs: [X, W] }) => elements(X) * elementsOfOne(W),
};

const elements = ({ shape }: Value): number => elementCount(shape);
const elementsOfOne = (filters: Value): number => elements(filters) / Number(filters.shape[0]);

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

/** Returns the numbers of threads that may be fastest, from few to many; a single one where there is no doubt. */
export function threadsInDoubt(graph: Graph, cores: number): readonly number[] {
  const multiplications = multiplicationsOf(graph);
  if (multiplications === undefined) return [cores];
  return [...new Set([1 / doubt, 1, doubt].map((factor) => threadsForWork(factor * multiplications, cores)))];
}

export const threadCount = (threads: number): string => `${threads} ${threads === 1 ? 'thread' : 'threads'}`;
