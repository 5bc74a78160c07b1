/** Finds the nodes of a graph, including those of bodies inside it, by the values that they give and read. */
import { type Graph, type Node, type OpNode, type OpType, readsOf, type Value } from '../graph/index.ts';

export interface Nodes {
  /** Returns the node that gives a value; undefined for inputs and initializers. */
  readonly producer: (value: Value) => Node | undefined;
  /** Counts the reads of a value by nodes; `Mul(x, x)` reads x twice. */
  readonly reads: (value: Value) => number;
}

export interface GraphNodes extends Nodes {
  /**
   * Is true when the node is the last to read a value that another has computed, so that its memory is free afterwards.
   */
  readonly endsWith: (value: Value, node: OpNode<OpType>) => boolean;
}

export function nodesOf(graph: Graph): GraphNodes {
  const producers = new Map<string, Node>();
  const reads = new Map<string, number>();
  const last = new Map<string, Node | 'the caller'>();
  const memory = new Map<string, string>();
  const memoryOf = ({ name }: Value): string => memory.get(name) ?? name;

  const visit = ({ nodes, outputs }: Graph): void => {
    for (const node of nodes) {
      if (node.op === 'Loop') visit(node.attributes.body);
      for (const value of readsOf(node)) {
        reads.set(value.name, (reads.get(value.name) ?? 0) + 1);
        last.set(memoryOf(value), node);
      }
      for (const { name } of node.outputs) {
        producers.set(name, node);
        // A Reshape is a view of the same memory.
        memory.set(name, node.op === 'Reshape' ? memoryOf(node.inputs[0]) : name);
      }
    }
    for (const value of outputs) last.set(memoryOf(value), 'the caller');
  };
  visit(graph);

  return {
    producer: ({ name }) => producers.get(name),
    reads: ({ name }) => reads.get(name) ?? 0,
    endsWith: (value, node) => memory.has(memoryOf(value)) && last.get(memoryOf(value)) === node,
  };
}
