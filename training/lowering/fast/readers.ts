/** Who reads the values of a graph, the bodies inside it included. */
import { type Graph, type Node, type OpNode, type OpType, readsOf, type Value } from '../../graph/index.ts';

export interface Readers {
  /** How many nodes read a value. */
  readonly count: (value: Value) => number;
  /** Whether a node is the last to read a value that another has computed, so that its memory is free afterwards. */
  readonly endsWith: (value: Value, node: OpNode<OpType>) => boolean;
}

export function readersOf(graph: Graph): Readers {
  const counts = new Map<string, number>();
  const last = new Map<string, Node | 'the caller'>();
  const memory = new Map<string, string>();
  const memoryOf = ({ name }: Value): string => memory.get(name) ?? name;

  const visit = ({ nodes, outputs }: Graph): void => {
    for (const node of nodes) {
      if (node.op === 'Loop') visit(node.attributes.body);
      for (const value of readsOf(node)) {
        counts.set(value.name, (counts.get(value.name) ?? 0) + 1);
        last.set(memoryOf(value), node);
      }
      // What is only seen in another shape stays where it is.
      for (const { name } of node.outputs) memory.set(name, node.op === 'Reshape' ? memoryOf(node.inputs[0]) : name);
    }
    for (const value of outputs) last.set(memoryOf(value), 'the caller');
  };
  visit(graph);

  return {
    count: ({ name }) => counts.get(name) ?? 0,
    endsWith: (value, node) => memory.has(memoryOf(value)) && last.get(memoryOf(value)) === node,
  };
}
