/**
 * Simplifies a graph for the kernels: it computes one sample, so all sizes are known; nodes with stored inputs are
 * computed; Batch Norm is folded into the preceding product, and the scaling of an input into the following one. The
 * result consists of the same ops.
 */
import { at } from '../../arrays/index.ts';
import { type Graph, liveNodes, type Node, opSchemas, type Tensor, type TensorType, Value } from '../../graph/index.ts';
import type { Append } from './append.ts';
import { foldInto, spread } from './batch-norm.ts';
import { foldConstant } from '../constant.ts';
import { isStoredProduct, spreadGemm } from './gemm.ts';
import { batchOf } from './one-sample.ts';
import { withScaledInputs } from './scaled-input.ts';

export interface Simplified {
  readonly nodes: readonly Node[];
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
}

export interface Port {
  /** The value for one sample: a batch's first axis is 1. Its name may differ from the port's. */
  readonly value: Value;
  readonly name: string;
  /** The shape in the file, with the batch as its first axis. */
  readonly shape: readonly (number | string)[];
  /** Is true where each sample has its own value. */
  readonly isPerSample: boolean;
}

export interface SimplifyOptions {
  /** Makes Batch Norm part of the preceding product, and the scaling of an input part of the following one. */
  readonly fold?: boolean;
}

/** @throws CompileError for a graph whose samples are not answered independently */
export function simplify(graph: Graph, { fold = true }: SimplifyOptions = {}): Simplified {
  const { nodes } = liveNodes(graph.nodes, graph.outputs);
  const live = { ...graph, nodes };
  const batch = batchOf(live);
  const builder = new Builder(live, fold);
  const inputs = graph.inputs.map((input) => {
    const isPerSample = batch !== undefined && input.shape[0] === batch;
    return { name: input.name, shape: input.shape, isPerSample, value: builder.input(input, isPerSample) };
  });
  for (const node of nodes) builder.add(node);
  const outputs = graph.outputs.map(({ name, shape }) => ({ name, shape, ...builder.look(name) }));
  const results = outputs.map(({ value }) => value);
  return { nodes: fold ? withScaledInputs(builder.nodes, results) : builder.nodes, inputs, outputs };
}

/** Appends nodes. Each value is known by its name in the file. */
class Builder {
  readonly #values = new Map<string, { readonly value: Value; readonly isPerSample: boolean }>();
  readonly #nodes: Node[] = [];
  readonly #readers: ReadonlyMap<string, number>;
  readonly #fold: boolean;

  constructor({ initializers, nodes, outputs }: Graph, fold: boolean) {
    this.#fold = fold;
    for (const value of initializers) this.#values.set(value.name, { value, isPerSample: false });
    this.#readers = readersOf(nodes, outputs);
  }

  get nodes(): readonly Node[] {
    return this.#nodes;
  }

  input({ name, dtype, shape }: Value, isPerSample: boolean): Value {
    const value = new Value(name, { dtype, shape: isPerSample ? [1, ...shape.slice(1)] : shape });
    this.#values.set(name, { value, isPerSample });
    return value;
  }

  look(name: string): { readonly value: Value; readonly isPerSample: boolean } {
    const known = this.#values.get(name);
    if (!known) throw new Error(`internal: ${name} is read before it is defined`);
    return known;
  }

  add(node: Node): void {
    const values: readonly (Value | undefined)[] = node.inputs;
    const inputs = values.map((value) => value && this.look(value.name).value);
    const isPerSample = values.some((value) => value && this.look(value.name).isPerSample);
    const here = { ...node, inputs } as Node;
    const outputs = this.#emit(isPerSample ? onOneSample(here) : here);
    node.outputs.forEach(({ name }, i) => {
      const value = outputs[i];
      if (value) this.#values.set(name, { value, isPerSample });
    });
  }

  #emit(node: Node): readonly Value[] {
    if (node.op === 'Identity') return node.inputs;
    if (node.op === 'BatchNormalization') return [this.#batchNorm(node)];
    if (node.op === 'Gemm' && !isStoredProduct(node)) return [spreadGemm(node, this.#append)];
    const types: readonly TensorType[] = opSchemas[node.op].infer(node.inputs as never, node.attributes as never);
    const constant = foldConstant(node, at(types, 0).shape);
    if (constant) return [new Value(node.outputs[0].name, constant, constant)];
    const outputs = node.outputs.map(({ name }, i) => new Value(name, at(types, i)));
    this.#nodes.push({ ...node, outputs } as Node);
    return outputs;
  }

  #batchNorm(node: Extract<Node, { op: 'BatchNormalization' }>): Value {
    const [X] = node.inputs;
    const before = this.#nodes.findIndex(({ outputs }) => outputs.some(({ name }) => name === X.name));
    const product = this.#nodes[before];
    const merged = product && this.#fold && this.#readers.get(X.name) === 1 ? foldInto(product, node) : undefined;
    if (!merged) return spread(node, this.#append);
    this.#nodes[before] = merged;
    return merged.outputs[0];
  }

  /** Appends a node that replaces one of the file's. */
  readonly #append: Append = (op, inputs, attributes, name) => {
    const node = { op, name, inputs, outputs: [new Value(name, inputs[0])], attributes } as unknown as Node;
    const [output] = this.#emit(node);
    if (!output) throw new Error(`internal: ${name} has no output`);
    return output;
  };
}

/** Counts the readers of each value under all of its names, since Identity only renames a value. */
function readersOf(nodes: readonly Node[], outputs: readonly Value[]): ReadonlyMap<string, number> {
  const sources = new Map<string, string>();
  const sourceOf = (name: string): string => sources.get(name) ?? name;
  const readers = new Map<string, number>();
  const count = (value: Value | undefined): void => {
    if (value) readers.set(sourceOf(value.name), (readers.get(sourceOf(value.name)) ?? 0) + 1);
  };
  for (const node of nodes) {
    if (node.op === 'Identity') sources.set(node.outputs[0].name, sourceOf(node.inputs[0].name));
    else for (const value of node.inputs) count(value);
  }
  for (const value of outputs) count(value);
  return readers;
}

/** Adapts shapes that the file states for the whole batch. */
function onOneSample(node: Node): Node {
  if (node.op !== 'Reshape' && node.op !== 'Expand' && node.op !== 'Flatten') return node;
  const [data] = node.inputs;
  const [, ...rest] = node.outputs[0].shape;
  const shape = intsValue(`${node.name}/shape`, [1, ...rest.map(Number)]);
  return { ...node, op: node.op === 'Expand' ? 'Expand' : 'Reshape', inputs: [data, shape], attributes: {} };
}

function intsValue(name: string, ints: readonly number[]): Value {
  const constant: Tensor = { dtype: 'int64', shape: [ints.length], data: BigInt64Array.from(ints, BigInt) };
  return new Value(name, constant, constant);
}
