/** Replays a graph into a new one, node by node, with some nodes replaced. */
import {
  type Graph,
  graphBuilder,
  type GraphBuilder,
  type Node,
  type OpNode,
  type OpType,
  type Value,
} from '../graph/index.ts';

/** A pass: the same function of the same inputs, in ops that suit a backend better. */
export type Pass = (graph: Graph) => Graph;

/**
 * Emits what takes a node's place and returns its outputs, or returns undefined to keep the node.
 *
 * @param node reads what has been emitted so far
 * @param original the same node in the graph that is replayed
 */
export type Replace<O extends OpType> = (
  g: GraphBuilder,
  node: OpNode<O>,
  original: OpNode<O>,
) => readonly Value[] | undefined;

/** By op; nodes of all others are kept. */
export type Replacements = { readonly [O in OpType]?: Replace<O> };

/** A pass that sees one node at a time. */
export const replacing =
  (replacements: Replacements): Pass =>
  (graph) =>
    rewrite(graph, replacements);

export function rewrite(graph: Graph, replacements: Replacements): Graph {
  return replay(graph, graphBuilder(), new Map(), replacements);
}

/** @param outer what the values of the graphs around this one have become, by name */
function replay(graph: Graph, g: GraphBuilder, outer: ReadonlyMap<string, Value>, replacements: Replacements): Graph {
  const became = new Map(outer);
  for (const value of graph.inputs) became.set(value.name, g.input(value.name, value));
  for (const { name, constant } of graph.initializers) if (constant) became.set(name, g.initializer(name, constant));
  const current = <T extends Value | undefined>(value: T): T => (value ? (became.get(value.name) as T) : value);

  for (const node of graph.nodes) {
    const moved = { ...node, inputs: node.inputs.map(current) } as Node;
    const emit = () => replacement(replacements, g, moved, node) ?? copy(g, moved, became, replacements);
    const scope = scopeOf(node);
    const outputs = scope === '' ? emit() : g.scoped(scope, emit);
    node.outputs.forEach((value, i) => {
      const output = outputs[i];
      if (output) became.set(value.name, output);
    });
  }
  return g.build(graph.name, Object.fromEntries(graph.outputs.map((value) => [value.name, current(value)])));
}

function replacement<O extends OpType>(
  replacements: Replacements,
  g: GraphBuilder,
  node: OpNode<O>,
  original: OpNode<O>,
): readonly Value[] | undefined {
  return replacements[node.op]?.(g, node, original);
}

function copy(
  g: GraphBuilder,
  node: Node,
  became: ReadonlyMap<string, Value>,
  replacements: Replacements,
): readonly Value[] {
  if (node.op !== 'Loop') return g.emit(node.op, node.inputs, node.attributes);
  const body = replay(node.attributes.body, g.body(), became, replacements);
  return g.emit('Loop', node.inputs, { body });
}

/** `conv1` of `conv1/Conv`. */
const scopeOf = ({ name }: Node): string => name.slice(0, Math.max(name.lastIndexOf('/'), 0));
