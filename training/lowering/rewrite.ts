/** Replays a graph into a new one, node by node, with some nodes replaced. */
import { type Graph, graphBuilder, type GraphBuilder, type Node, type Value } from '../graph/index.ts';

/**
 * Emits a node's replacement and returns its outputs, or returns undefined to keep the node.
 *
 * @param node reads what has been emitted so far
 * @param original the same node in the graph that is replayed
 */
export type Replacement = (g: GraphBuilder, node: Node, original: Node) => readonly Value[] | undefined;

/** A pass: the same function of the same inputs, in ops that suit a backend better. */
export type Pass = (graph: Graph) => Graph;

export function rewrite(graph: Graph, replace: Replacement): Graph {
  return replay(graph, graphBuilder(), new Map(), replace);
}

/** @param outer what the values of the graphs around this one have become, by name */
function replay(graph: Graph, g: GraphBuilder, outer: ReadonlyMap<string, Value>, replace: Replacement): Graph {
  const became = new Map(outer);
  for (const value of graph.inputs) became.set(value.name, g.input(value.name, value));
  for (const { name, constant } of graph.initializers) if (constant) became.set(name, g.initializer(name, constant));
  const current = <T extends Value | undefined>(value: T): T => (value ? (became.get(value.name) as T) : value);

  for (const node of graph.nodes) {
    const moved = { ...node, inputs: node.inputs.map(current) } as Node;
    const emit = () => replace(g, moved, node) ?? copy(g, moved, became, replace);
    const scope = scopeOf(node);
    const outputs = scope === '' ? emit() : g.scoped(scope, emit);
    node.outputs.forEach((value, i) => {
      const output = outputs[i];
      if (output) became.set(value.name, output);
    });
  }
  return g.build(graph.name, Object.fromEntries(graph.outputs.map((value) => [value.name, current(value)])));
}

function copy(g: GraphBuilder, node: Node, became: ReadonlyMap<string, Value>, replace: Replacement): readonly Value[] {
  if (node.op !== 'Loop') return g.emit(node.op, node.inputs, node.attributes);
  const body = replay(node.attributes.body, g.body(), became, replace);
  return g.emit('Loop', node.inputs, { body });
}

/** `conv1` of `conv1/Conv`. */
const scopeOf = ({ name }: Node): string => name.slice(0, Math.max(name.lastIndexOf('/'), 0));
