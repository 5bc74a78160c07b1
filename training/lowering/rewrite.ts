/** Replays a graph into a new one, node by node, and replaces some of the nodes. */
import {
  type Graph,
  graphBuilder,
  type GraphBuilder,
  type Node,
  type OpNode,
  type OpType,
  Value,
} from '../graph/index.ts';
import { type Nodes, nodesOf } from './nodes.ts';
import type { Pattern } from './pattern.ts';

/**
 * A pass computes the same function of the same inputs, in ops that suit a backend better.
 *
 * @param onReplaced is told of each node that is replaced, as it was
 */
export type Pass = (graph: Graph, onReplaced?: OnReplaced) => Graph;

export type OnReplaced = (node: OpNode<OpType>) => void;

/**
 * The builder that a pass emits nodes with. `reads` of an emitted value counts the reads, in the original graph, of the
 * value that it stands for.
 */
export type Rewriter = GraphBuilder & Nodes;

/**
 * Emits the replacement of a node and returns its outputs, or returns undefined to keep the node.
 *
 * @param node the node with the inputs that have been emitted so far
 * @param original the same node in the graph that is replayed
 */
export type Replace<O extends OpType> = (
  g: Rewriter,
  node: OpNode<O>,
  original: OpNode<O>,
) => readonly Value[] | undefined;

/** Maps ops to their replacements. Nodes of all other ops are kept. */
export type Replacements = { readonly [O in OpType]?: Replace<O> };

/** Returns the replacement of the nodes that a pattern matches. */
export const rule = <O extends OpType, F>(
  pattern: Pattern<O, F>,
  emit: (g: Rewriter, found: F, node: OpNode<O>) => Value | readonly Value[] | undefined,
): Replacements => ({
  [pattern.op]: (g: Rewriter, node: OpNode<O>): readonly Value[] | undefined => {
    const found = pattern.match(g, node);
    const outputs = found && emit(g, found, node);
    return outputs instanceof Value ? [outputs] : outputs;
  },
});

/** Returns a pass that sees one node at a time. The first of the replacements that accepts a node replaces it. */
export const replacing =
  (...replacements: readonly Replacements[]): Pass =>
  (graph, onReplaced) =>
    rewrite(graph, replacements, onReplaced);

export function rewrite(graph: Graph, replacements: readonly Replacements[], onReplaced?: OnReplaced): Graph {
  return new Replay(replacements, onReplaced, nodesOf(graph)).of(graph, graphBuilder(), new Map());
}

class Replay {
  readonly #replacements: readonly Replacements[];
  readonly #onReplaced: OnReplaced | undefined;
  readonly #before: Nodes;
  /** Maps the name of an emitted value to the number of reads of the value that it stands for. */
  readonly #reads = new Map<string, number>();

  constructor(replacements: readonly Replacements[], onReplaced: OnReplaced | undefined, before: Nodes) {
    this.#replacements = replacements;
    this.#onReplaced = onReplaced;
    this.#before = before;
  }

  /** @param outer maps the names of values in enclosing graphs to what has been emitted for them */
  of(graph: Graph, builder: GraphBuilder, outer: ReadonlyMap<string, Value>): Graph {
    const g: Rewriter = Object.assign(builder, { reads: ({ name }: Value) => this.#reads.get(name) ?? 0 });
    const became = new Map(outer);
    const become = (value: Value, emitted: Value): void => {
      became.set(value.name, emitted);
      this.#reads.set(emitted.name, (this.#reads.get(emitted.name) ?? 0) + this.#before.reads(value));
    };
    for (const value of graph.inputs) become(value, g.input(value.name, value));
    for (const value of graph.initializers)
      if (value.constant) become(value, g.initializer(value.name, value.constant));
    const current = <T extends Value | undefined>(value: T): T => (value ? (became.get(value.name) as T) : value);

    for (const node of graph.nodes) {
      const moved = { ...node, inputs: node.inputs.map(current) } as Node;
      const emit = () => this.#replacement(g, moved, node) ?? this.#copy(g, moved, became);
      const scope = scopeOf(node);
      const outputs = scope === '' ? emit() : g.scoped(scope, emit);
      node.outputs.forEach((value, i) => {
        const output = outputs[i];
        if (output) become(value, output);
      });
    }
    return g.build(graph.name, Object.fromEntries(graph.outputs.map((value) => [value.name, current(value)])));
  }

  #replacement<O extends OpType>(g: Rewriter, node: OpNode<O>, original: OpNode<O>): readonly Value[] | undefined {
    for (const { [node.op]: replace } of this.#replacements) {
      const outputs = replace?.(g, node, original);
      if (!outputs) continue;
      this.#onReplaced?.(original);
      return outputs;
    }
    return undefined;
  }

  #copy(g: Rewriter, node: Node, became: ReadonlyMap<string, Value>): readonly Value[] {
    if (node.op !== 'Loop') return g.emit(node.op, node.inputs, node.attributes);
    return g.emit('Loop', node.inputs, { body: this.of(node.attributes.body, g.body(), became) });
  }
}

/** Returns `conv1` for `conv1/Conv`. */
const scopeOf = ({ name }: Node): string => name.slice(0, Math.max(name.lastIndexOf('/'), 0));
