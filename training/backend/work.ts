/** How much arithmetic a graph is, and for how many threads that is enough. */
import { elementCount } from '../files/index.ts';
import type { Graph, OpNode, OpType, Value } from '../graph/index.ts';

/**
 * The multiplications of a graph's matrix products and convolutions, those of a loop's body for one iteration;
 * undefined where a shape is known at run time only.
 */
export function multiplicationsOf(graph: Graph): number | undefined {
  const sum = countNodes(graph);
  return Number.isNaN(sum) ? undefined : sum;
}

const countNodes = ({ nodes }: Graph): number => nodes.reduce((sum, node) => sum + countNode(node), 0);

function countNode<Op extends OpType>(node: OpNode<Op>): number {
  return counts[node.op]?.(node) ?? 0;
}

/** The other ops read each element a few times at most. */
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
 * Below this a thread costs as much to wake as it saves. Measured on two cores (AMD EPYC, AVX-512), state in place, threads asleep between
 * ops: steps of mnist-mlp at batch 64 (0.04 · 10⁹) are as fast on one thread, at 128 (0.08 · 10⁹) 1.2 × faster on two, at 256 more.
 */
const multiplicationsPerThread = 0.05e9;

/** Depends on the graph and the machine's cores alone, never on a measurement: the number of threads decides the last bits. */
export function threadsFor(graph: Graph, cores: number): number {
  const multiplications = multiplicationsOf(graph);
  return multiplications === undefined ? cores : threadsForWork(multiplications, cores);
}

const threadsForWork = (multiplications: number, cores: number): number =>
  Math.min(Math.max(Math.round(multiplications / multiplicationsPerThread), 1), cores);

/** Processors differ by no more than this in what a thread is worth. */
const doubt = 4;

/** How many threads may be fastest, from few to many; one number alone where that is sure. */
export function threadsInDoubt(graph: Graph, cores: number): readonly number[] {
  const multiplications = multiplicationsOf(graph);
  if (multiplications === undefined) return [cores];
  return [...new Set([1 / doubt, 1, doubt].map((factor) => threadsForWork(factor * multiplications, cores)))];
}

export const threadCount = (threads: number): string => `${threads} ${threads === 1 ? 'thread' : 'threads'}`;
