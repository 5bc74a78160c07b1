/**
 * Builds a graph node by node. Every op is a method with the specification's inputs and attributes:
 *
 *     const g = graphBuilder();
 *     const x = g.input('x', { dtype: 'float32', shape: ['N', 784] });
 *     const y = g.Relu(g.Gemm(x, weight, undefined, { transB: 1 }));
 *     const graph = g.build('dense', { y });
 *
 * Types and shapes are inferred as nodes are added, so a mismatch is reported where it is written.
 */
import { arrays } from '../program/index.ts';
import type { Attributes, Graph, Inputs, Node, OpNode, OpType, Outputs } from './ops.ts';
import { liveNodes } from './prune.ts';
import { opSchemas } from './schemas/index.ts';
import { type DType, located, type Tensor, type TensorType, Value } from './types.ts';

type AttributeArgs<A> = keyof A extends never ? [] : object extends A ? [attributes?: A] : [attributes: A];
type EmitArgs<O extends OpType> = [...inputs: Inputs<O>, ...attributes: AttributeArgs<Attributes<O>>];
type Result<O extends OpType> = Outputs<O> extends readonly [infer Only] ? Only : Outputs<O>;

/** One method for each op. An op with a single output returns that value, any other the tuple of its outputs. */
export type Emitters = { readonly [O in OpType]: (...args: EmitArgs<O>) => Result<O> };

/** Makes names unique across a graph and the bodies inside it, as ONNX requires. */
class Names {
  readonly #taken = new Map<string, number>();

  unique(wanted: string): string {
    const count = this.#taken.get(wanted) ?? 0;
    this.#taken.set(wanted, count + 1);
    return count === 0 ? wanted : this.unique(`${wanted}_${count}`);
  }
}

class Builder {
  readonly #parent: Builder | undefined;
  readonly #names: Names;
  readonly #inputs: Value[] = [];
  readonly #initializers = new Map<string, Value>();
  readonly #nodes: Node[] = [];
  readonly #producers = new Map<string, Node>();
  #scope = '';

  constructor(parent?: Builder) {
    this.#parent = parent;
    this.#names = parent ? parent.#names : new Names();
    this.#scope = parent ? parent.#scope : '';
  }

  /** The nodes that have been added, in topological order. */
  get nodes(): readonly Node[] {
    return this.#nodes;
  }

  /** Returns the node that produces `value`; none for inputs, initializers and values of the graph around a body. */
  producer(value: Value): Node | undefined {
    return this.#producers.get(value.name);
  }

  input(name: string, type: TensorType): Value {
    const value = new Value(this.#names.unique(name), type);
    this.#inputs.push(value);
    return value;
  }

  /** Stores a tensor in the graph. Bodies share the initializers of the graph around them. */
  initializer(name: string, tensor: Tensor): Value {
    if (this.#parent) return this.#parent.initializer(name, tensor);
    const value = new Value(this.#names.unique(name), tensor, tensor);
    this.#initializers.set(value.name, value);
    return value;
  }

  /** Returns a scalar of the given type; equal scalars share one initializer. */
  scalar(value: number, dtype: Exclude<DType, 'bool'> = 'float32'): Value {
    const data = dtype === 'int64' ? BigInt64Array.of(BigInt(value)) : arrays[dtype].of(value);
    return this.constant(`${dtype}(${value})`, { dtype, shape: [], data });
  }

  /** Returns a list of int64, as `shape`, `axes` and `pads` inputs need it. */
  ints(values: readonly number[]): Value {
    const data = BigInt64Array.from(values, BigInt);
    return this.constant(`int64[${values.join(',')}]`, { dtype: 'int64', shape: [values.length], data });
  }

  /** Runs `emit` with `name` as a prefix of every name that it creates: `conv1/Conv`. */
  scoped<T>(name: string, emit: () => T): T {
    const outer = this.#scope;
    this.#scope = `${outer}${name}/`;
    try {
      return emit();
    } finally {
      this.#scope = outer;
    }
  }

  /** Returns a builder for a body (of a Loop) that may use every value of this one. */
  body(): GraphBuilder {
    return withEmitters(new Builder(this));
  }

  emit<O extends OpType>(op: O, inputs: Inputs<O>, attributes: Attributes<O>): Outputs<O> {
    const name = this.#names.unique(`${this.#scope}${op}`);
    const types = located(name, () => opSchemas[op].infer(inputs, attributes));
    const outputs = types.map((type, i) => new Value(i === 0 ? name : `${name}:${i}`, type)) as unknown as Outputs<O>;
    const node: OpNode<O> = { op, name, inputs, outputs, attributes };
    this.#nodes.push(node as unknown as Node);
    for (const output of outputs) this.#producers.set(output.name, node as unknown as Node);
    return outputs;
  }

  /** Returns the finished graph: outputs under the given names, and only the nodes and initializers that they need. */
  build(name: string, outputs: Readonly<Record<string, Value>>): Graph {
    const produced = new Set(this.#nodes.flatMap((node) => node.outputs.map((value) => value.name)));
    const names = new Map<string, string>();
    const results = Object.entries(outputs).map(([wanted, value]) => {
      // An input or initializer, or a value that already has an output name, gets an Identity node.
      const own = produced.has(value.name) && !names.has(value.name);
      const [result] = own ? [value] : this.emit('Identity', [value], {});
      names.set(result.name, this.#names.unique(wanted));
      return result;
    });
    const { nodes, used } = liveNodes(this.#nodes, results);
    const renamed = renameValues({ nodes, outputs: results }, names);
    const initializers = [...this.#initializers.values()].filter((value) => used.has(value.name));
    return { name, inputs: this.#inputs, initializers, ...renamed };
  }

  /** Returns the initializer of this name, which is stored at the first call. */
  constant(name: string, tensor: Tensor): Value {
    if (this.#parent) return this.#parent.constant(name, tensor);
    return this.#initializers.get(name) ?? this.initializer(name, tensor);
  }
}

export type GraphBuilder = Builder & Emitters;

/** Makes a builder of an empty graph. */
export const graphBuilder = (): GraphBuilder => withEmitters(new Builder());

function withEmitters(builder: Builder): GraphBuilder {
  const emitters = Object.keys(opSchemas).map((op) => [op, emitter(builder, op as OpType)]);
  return Object.assign(builder, Object.fromEntries(emitters) as Emitters);
}

/**
 * Returns the method of an op. Attributes come last and are the only argument that is neither a value nor an omitted
 * input.
 */
function emitter(builder: Builder, op: OpType) {
  return (...args: readonly unknown[]): unknown => {
    const last = args.at(-1);
    const hasAttributes = last !== undefined && !(last instanceof Value);
    const inputs = hasAttributes ? args.slice(0, -1) : args;
    const outputs = builder.emit(op, inputs as never, (hasAttributes ? last : {}) as never) as readonly Value[];
    return outputs.length === 1 && op !== 'Loop' ? outputs[0] : outputs;
  };
}

type Part = Pick<Graph, 'nodes' | 'outputs'>;

/** Renames values throughout a part of a graph and the bodies inside it. */
function renameValues(part: Part, names: ReadonlyMap<string, string>): Part {
  const renamed = new Map<string, Value>();
  const rename = (value: Value): Value => {
    const name = names.get(value.name);
    if (name === undefined) return value;
    const known = renamed.get(name) ?? new Value(name, value, value.constant);
    renamed.set(name, known);
    return known;
  };
  const renameNode = (node: Node): Node => {
    const inputs = node.inputs.map((value) => value && rename(value));
    const outputs = node.outputs.map(rename);
    if (node.op !== 'Loop') return { ...node, inputs, outputs } as Node;
    const { body } = node.attributes;
    return { ...node, inputs, outputs, attributes: { body: { ...body, ...renameValues(body, names) } } } as Node;
  };
  return { nodes: part.nodes.map(renameNode), outputs: part.outputs.map(rename) };
}
