/** How much arithmetic a graph is, and for how many threads that is enough. */
import { elementCount } from '../element-count.ts';
import type { Graph, Node, OpNode, OpType, Value } from '../graph/index.ts';

/**
 * The multiplications of a graph's matrix products and convolutions, those of a loop's body for one iteration;
 * undefined where a shape is known at run time only.
 */
export function multiplicationsOf({ nodes }: Graph): number | undefined {
  const sum = nodes.reduce((total, node) => total + (multiplicationsOfNode(node) ?? NaN), 0);
  return Number.isNaN(sum) ? undefined : sum;
}

/** The other ops read each element a few times at most. */
const counts: { readonly [Op in OpType]?: (node: OpNode<Op>) => number | undefined } = {
  Loop: ({ attributes }) => multiplicationsOf(attributes.body),
  MatMul: ({ inputs: [A], outputs: [Y] }) => elements(Y) * Number(A.shape.at(-1)),
  Gemm: ({ inputs: [A], outputs: [Y], attributes }) => elements(Y) * Number(A.shape[attributes.transA ? 0 : 1]),
  Conv: ({ inputs: [, W], outputs: [Y] }) => elements(Y) * elementsOfOne(W),
  ConvTranspose: ({ inputs: [X, W] }) => elements(X) * elementsOfOne(W),
};

function multiplicationsOfNode(node: Node): number | undefined {
  const count = counts[node.op] as ((node: Node) => number | undefined) | undefined;
  return count ? count(node) : 0;
}

const elements = ({ shape }: Value): number => elementCount(shape);
const elementsOfOne = (filters: Value): number => elements(filters) / Number(filters.shape[0]);

/**
 * Below this a thread costs as much to wake as it saves. Measured on two cores: steps of mnist-mlp (0.04 · 10⁹ at batch 64, 0.16 · 10⁹
 * at 256) are as fast on one thread, those of mnist-cnn (0.23 · 10⁹ at 64, 0.9 · 10⁹ at 256) faster on two.
 */
const multiplicationsPerThread = 0.12e9;

/** Depends on the graph and the machine's cores alone, never on a measurement: the number of threads decides the last bits. */
export function threadsFor(graph: Graph, cores: number): number {
  const multiplications = multiplicationsOf(graph);
  if (multiplications === undefined) return cores;
  return Math.min(Math.max(Math.round(multiplications / multiplicationsPerThread), 1), cores);
}
