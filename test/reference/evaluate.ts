/**
 * The independent source of numbers: an interpreter of ONNX graphs in float64, with naive loops written from the
 * specification. It shares no code with training/, only the types of the graph.
 *
 * Source: https://github.com/onnx/onnx/blob/v1.13.0/docs/Operators.md
 */
import type { Graph, Node, Value } from '../../training/graph/index.ts';
import { evaluators } from './evaluators/index.ts';
import type { Context, Evaluator } from './evaluators/evaluator.ts';
import type { NdArray } from './ndarray.ts';

export type Arrays = Readonly<Record<string, NdArray>>;

/** Returns the outputs of a graph by name, for inputs by name. */
export function evaluate(graph: Graph, feeds: Arrays): Arrays {
  const inputs = graph.inputs.map(({ name }) => {
    const feed = feeds[name];
    if (!feed) throw new Error(`no feed for ${name}`);
    return feed;
  });
  const outputs = run(graph, inputs, new Map());
  return Object.fromEntries(graph.outputs.map(({ name }, i) => [name, outputs[i] ?? missing(name)]));
}

function run(graph: Graph, inputs: readonly NdArray[], outer: ReadonlyMap<string, NdArray>): readonly NdArray[] {
  const scope = new Map(outer);
  graph.inputs.forEach((value, i) => scope.set(value.name, inputs[i] ?? missing(value.name)));
  for (const value of graph.initializers) scope.set(value.name, constantOf(value));
  for (const node of graph.nodes) {
    const results = evaluateNode(node, scope);
    node.outputs.forEach((value, i) => scope.set(value.name, results[i] ?? missing(value.name)));
  }
  return graph.outputs.map(({ name }) => scope.get(name) ?? missing(name));
}

function evaluateNode(node: Node, scope: ReadonlyMap<string, NdArray>): readonly NdArray[] {
  const inputs = node.inputs.map((value) => value && (scope.get(value.name) ?? missing(value.name)));
  const [first]: readonly Value[] = node.outputs;
  const context: Context = {
    dtype: first?.dtype ?? missing(node.name),
    run: (body, bodyInputs) => run(body, bodyInputs, scope),
  };
  const evaluator = evaluators[node.op] as unknown as Evaluator<'Concat'>;
  return evaluator(inputs as NdArray[], node.attributes as never, context);
}

function constantOf({ name, constant }: Value): NdArray {
  if (!constant) return missing(name);
  return { shape: constant.shape, data: Float64Array.from<number | bigint>(constant.data, Number) };
}

function missing(name: string): never {
  throw new Error(`${name} has no value`);
}
