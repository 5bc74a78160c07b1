/**
 * Verifies a finished graph after it is built, differentiated or lowered, and before it is exported: names are unique,
 * every value is defined before it is read, and every stored type is what the op's schema infers from its inputs.
 */
import type { Attributes, Graph, Inputs, Node, OpType } from './ops.ts';
import { opSchemas } from './schemas/index.ts';
import { formatType, sameShape } from './schemas/schema.ts';
import { GraphError, located, type TensorType, type Value } from './types.ts';

/**
 * Verifies a graph and returns it.
 *
 * @param allowed the ops of the target that will run the graph; by default every op
 * @throws GraphError naming the graph, the node and what does not hold
 */
export function checkGraph(graph: Graph, allowed?: ReadonlySet<OpType>): Graph {
  new Checker(graph.name, allowed).check(graph, new Map());
  return graph;
}

class Checker {
  readonly #where: string;
  readonly #allowed: ReadonlySet<OpType> | undefined;
  readonly #names = new Set<string>();

  constructor(where: string, allowed: ReadonlySet<OpType> | undefined) {
    this.#where = where;
    this.#allowed = allowed;
  }

  check(graph: Graph, outer: ReadonlyMap<string, Value>): void {
    const scope = new Map(outer);
    for (const value of [...graph.inputs, ...graph.initializers]) this.#define(value, scope);
    for (const node of graph.nodes) this.#checkNode(node, scope);
    for (const value of graph.outputs) this.#read('the outputs', value, scope);
  }

  #checkNode(node: Node, scope: Map<string, Value>): void {
    if (this.#allowed && !this.#allowed.has(node.op))
      this.#fail(node.name, `op ${node.op} is not available on the target`);
    for (const value of node.inputs) if (value) this.#read(node.name, value, scope);
    if (node.op === 'Loop') this.check(node.attributes.body, scope);
    const inferred = located(`${this.#where}: ${node.name}`, () => inferNode(node)).map(formatType);
    const stored = node.outputs.map(formatType);
    if (inferred.join() !== stored.join()) {
      this.#fail(node.name, `expected outputs ${inferred.join(' and ')}, got ${stored.join(' and ')}`);
    }
    for (const value of node.outputs) this.#define(value, scope);
  }

  #define(value: Value, scope: Map<string, Value>): void {
    if (this.#names.has(value.name)) this.#fail(value.name, 'the name is defined twice');
    this.#names.add(value.name);
    scope.set(value.name, value);
  }

  #read(where: string, value: Value, scope: ReadonlyMap<string, Value>): void {
    const definition = scope.get(value.name);
    if (!definition) this.#fail(where, `${value.name} is read before it is defined`);
    else if (!sameType(definition, value)) {
      this.#fail(where, `${value.name} is defined as ${formatType(definition)} and read as ${formatType(value)}`);
    }
  }

  #fail(where: string, what: string): never {
    throw new GraphError(`${this.#where}: ${where}: ${what}`);
  }
}

function inferNode<O extends OpType>(node: {
  op: O;
  inputs: Inputs<O>;
  attributes: Attributes<O>;
}): readonly TensorType[] {
  return opSchemas[node.op].infer(node.inputs, node.attributes);
}

const sameType = (a: TensorType, b: TensorType): boolean => a.dtype === b.dtype && sameShape(a.shape, b.shape);
