/**
 * Packs small tensors that lie side by side into one input and one output of ONNX Runtime. Each tensor of a call costs
 * microseconds whatever its size, and a small step takes only a few hundred of them.
 *
 *     │ fc1.bias │ bn1.weight │ … │ ── one input ──▶ Slice, Reshape ─▶ gradients ─▶ Reshape, Concat ── one output ──▶
 */
import { at } from '../../arrays/index.ts';
import { checkGraph, type Graph, type Node, sizeOf, type Tensor, Value } from '../../graph/index.ts';
import { type Cells, isSmall, type Layout } from './layout.ts';

/** A graph whose inputs and outputs are tensors of a layout. */
export interface Placed {
  readonly graph: Graph;
  readonly layout: Layout;
}

/**
 * Returns the same graph with its small inputs and outputs packed into vectors, and a layout that has these vectors
 * among its tensors.
 */
export function packed({ graph, layout }: Placed): Placed {
  const constants = new Map(graph.initializers.map((value) => [value.name, value]));
  const [inputs, outputs] = [packsOf(graph.inputs, layout), packsOf(graph.outputs, layout)];
  const nodes = [
    ...inputs.flatMap((pack) => unpacking(pack, constants)),
    ...graph.nodes,
    ...outputs.flatMap((pack) => packing(pack, constants)),
  ];
  const replaced = (values: readonly Value[], packs: readonly Pack[]) => {
    const members = new Set(packs.flatMap((pack) => pack.members.map(({ value }) => value.name)));
    return [...values.filter(({ name }) => !members.has(name)), ...packs.map(({ vector }) => vector)];
  };
  const packedGraph = {
    ...graph,
    inputs: replaced(graph.inputs, inputs),
    outputs: replaced(graph.outputs, outputs),
    nodes,
    initializers: [...constants.values()],
  };
  const vectors = [...inputs, ...outputs].map(({ vector, address }) => {
    const cells: Cells = { address, shape: vector.shape.map(Number) };
    return [vector.name, cells] as const;
  });
  return { graph: checkGraph(packedGraph), layout: { ...layout, tensors: new Map([...layout.tensors, ...vectors]) } };
}

interface Member {
  readonly value: Value;
  /** The first element, counted from the start of the pack. */
  readonly start: number;
  readonly end: number;
}

/** Tensors side by side, in this order. */
interface Pack {
  readonly vector: Value;
  readonly address: number;
  readonly members: readonly Member[];
}

function packsOf(values: readonly Value[], { tensors, vectors }: Layout): readonly Pack[] {
  const small = values.flatMap((value) => {
    const cells = isSmall(value.shape) ? tensors.get(value.name) : undefined;
    return cells ? [{ value, address: cells.address }] : [];
  });
  return [...vectors].flatMap(([name, vector]) => {
    const members = small
      .map(({ value, address }) => {
        const start = (address - vector.address) / 4;
        return { value, start, end: start + sizeOf(value.shape) };
      })
      .filter(({ start }) => start >= 0 && start < sizeOf(vector.shape))
      .sort((a, b) => a.start - b.start);
    // A single tensor is one tensor with or without a pack.
    if (members.length < 2) return [];
    const { end } = at(members, members.length - 1);
    return [
      { vector: new Value(`small ${name}`, { dtype: 'float32', shape: [end] }), address: vector.address, members },
    ];
  });
}

type Constants = Map<string, Value>;

/** Emits the nodes that cut each tensor, under its own name, out of the vector. */
const unpacking = ({ vector, members }: Pack, constants: Constants): readonly Node[] =>
  members.flatMap(({ value, start, end }): Node[] => {
    const bounds = [[start], [end], [0], [1]].map((list) => ints(list, constants)) as [Value, Value, Value, Value];
    const slice = (to: Value): Node => ({
      op: 'Slice',
      name: `${value.name}/Slice`,
      inputs: [vector, ...bounds],
      outputs: [to],
      attributes: {},
    });
    if (value.shape.length === 1) return [slice(value)];
    const flat = new Value(`${value.name}/flat`, { dtype: 'float32', shape: [end - start] });
    return [slice(flat), reshape(flat, value, constants)];
  });

/** Emits the nodes that join the tensors into the vector, with zeros between them. */
function packing({ vector, members }: Pack, constants: Constants): readonly Node[] {
  const nodes: Node[] = [];
  const parts: Value[] = [];
  let end = 0;
  for (const { value, ...member } of members) {
    if (member.start > end) parts.push(zeros(member.start - end, constants));
    end = member.end;
    const flat = new Value(`${value.name}/flat`, { dtype: 'float32', shape: [sizeOf(value.shape)] });
    if (value.shape.length !== 1) nodes.push(reshape(value, flat, constants));
    parts.push(value.shape.length === 1 ? value : flat);
  }
  return [
    ...nodes,
    { op: 'Concat', name: `${vector.name}/Concat`, inputs: parts, outputs: [vector], attributes: { axis: 0 } },
  ];
}

const reshape = (from: Value, to: Value, constants: Constants): Node => ({
  op: 'Reshape',
  name: `${to.name}/Reshape`,
  inputs: [from, ints(to.shape.map(Number), constants)],
  outputs: [to],
  attributes: {},
});

function ints(values: readonly number[], constants: Constants): Value {
  const data = BigInt64Array.from(values, BigInt);
  return constant(`int64[${values.join(',')}]`, { dtype: 'int64', shape: [values.length], data }, constants);
}

const zeros = (count: number, constants: Constants): Value =>
  constant(`zeros[${count}]`, { dtype: 'float32', shape: [count], data: new Float32Array(count) }, constants);

function constant(name: string, tensor: Tensor, constants: Constants): Value {
  const value = constants.get(name) ?? new Value(name, tensor, tensor);
  constants.set(name, value);
  return value;
}
