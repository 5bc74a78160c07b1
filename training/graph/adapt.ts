/**
 * Files of anyone's, said in the words of this project's graphs: ops that are others put together, attributes that say what is meant
 * anyway, constants that are nodes. What has no such words stays as it is, and is refused by whoever reads it.
 *
 * Source: https://github.com/onnx/onnx/blob/v1.19.0/docs/Operators.md
 */
import { elementCount } from '../files/index.ts';
import { integersOf } from './decode-proto.ts';
import { type onnx, onnxProto } from './onnx-proto.ts';

const { AttributeProto, TensorProto } = onnxProto.onnx;
const { AttributeType } = AttributeProto;
const { DataType } = TensorProto;

type NodeProto = onnx.INodeProto;

/** @returns the same model; nothing of the given one is changed */
export function adapted(model: onnx.IModelProto): onnx.IModelProto {
  return model.graph ? { ...model, graph: new Adapter(model.graph).graph } : model;
}

class Adapter {
  readonly graph: onnx.IGraphProto;
  readonly #initializers: onnx.ITensorProto[];
  readonly #byName = new Map<string, onnx.ITensorProto>();
  readonly #nodes: NodeProto[] = [];

  constructor(graph: onnx.IGraphProto) {
    this.#initializers = (graph.initializer ?? []).map(withRawData);
    for (const tensor of this.#initializers) this.#byName.set(tensor.name ?? '', tensor);
    for (const node of graph.node ?? []) this.#add(withoutDefaults(node));
    this.graph = { ...graph, initializer: this.#initializers, node: this.#nodes };
  }

  #add(node: NodeProto): void {
    const rule = node.domain ? undefined : rules[node.opType ?? ''];
    const stored = node.opType === 'Constant' && !node.domain ? constantOf(node) : undefined;
    if (stored) this.#store(stored);
    else if (!rule || !rule(node, this)) this.#nodes.push(node);
  }

  #store(tensor: onnx.ITensorProto): string {
    this.#initializers.push(tensor);
    this.#byName.set(tensor.name ?? '', tensor);
    return tensor.name ?? '';
  }

  stored(name: string | undefined): onnx.ITensorProto | undefined {
    return this.#byName.get(name ?? '');
  }

  /** The number that a name stands for, where it is stored and alone. */
  numberOf(name: string | undefined): number | undefined {
    const { rawData, dataType, dims } = this.stored(name) ?? {};
    const isOne = elementCount((dims ?? []).map(Number)) === 1;
    if (dataType !== DataType.FLOAT || !isOne || rawData?.length !== 4) return undefined;
    return new Float32Array(new Uint8Array(rawData).buffer)[0];
  }

  floats(name: string, numbers: readonly number[], dims: readonly number[] = []): string {
    const rawData = new Uint8Array(Float32Array.from(numbers).buffer);
    return this.#store({ name, dataType: DataType.FLOAT, dims: [...dims], rawData });
  }

  ints(name: string, numbers: readonly number[]): string {
    const rawData = new Uint8Array(BigInt64Array.from(numbers, BigInt).buffer);
    return this.#store({ name, dataType: DataType.INT64, dims: [numbers.length], rawData });
  }

  /** A node in place of `origin`'s, or of part of it. @returns its output */
  node(
    origin: NodeProto,
    opType: string,
    input: readonly string[],
    attribute: readonly onnx.IAttributeProto[] = [],
    output = `${first(origin)}/${opType}${this.#nodes.length}`,
  ): string {
    this.#nodes.push({
      name: origin.name ?? '',
      opType,
      input: [...input],
      output: [output],
      attribute: [...attribute],
    });
    return output;
  }
}

const first = ({ output }: NodeProto): string => output?.[0] ?? '';

const int = (name: string, i: number): onnx.IAttributeProto => ({ name, type: AttributeType.INT, i });
const float = (name: string, f: number): onnx.IAttributeProto => ({ name, type: AttributeType.FLOAT, f });
const attributeOf = (node: NodeProto, name: string): onnx.IAttributeProto | undefined =>
  node.attribute?.find((attribute) => attribute.name === name);

/** @returns false for a node that it leaves as it is */
type Rule = (node: NodeProto, adapter: Adapter) => boolean;

/** @param says what the output is, as nodes, the last of which has the output's name */
const said =
  (says: (node: NodeProto, x: string, adapter: Adapter, out: string) => unknown): Rule =>
  (node, adapter) => {
    says(node, node.input?.[0] ?? '', adapter, first(node));
    return true;
  };

const overImage = (opType: string): Rule =>
  said((node, x, adapter, out) => {
    adapter.node(node, opType, [x, adapter.ints(`${out}/axes`, [2, 3])], [int('keepdims', 1)], out);
  });

/** Until opset 13 or 18 the axes were an attribute. */
const withAxes: Rule = (node, adapter) => {
  const axes = attributeOf(node, 'axes')?.ints;
  if (!axes || (node.input?.length ?? 0) > 1) return false;
  const [x = ''] = node.input ?? [];
  const others = (node.attribute ?? []).filter(({ name }) => name !== 'axes');
  const given = adapter.ints(`${first(node)}/axes`, axes.map(Number));
  adapter.node(node, node.opType ?? '', [x, given], others, first(node));
  return true;
};

const turned = (opType: string): Rule =>
  said((node, x, adapter, out) => adapter.node(node, opType, [node.input?.[1] ?? '', x], [], out));

const oneByOne = (opType: string): Rule =>
  said((node, x, adapter, out) => {
    const others = (node.input ?? []).slice(1);
    const all = others.reduce(
      (sum, other, i) => adapter.node(node, opType, [sum, other], [], i === others.length - 1 ? out : undefined),
      x,
    );
    if (others.length === 0) adapter.node(node, 'Identity', [all], [], out);
  });

const rules: Readonly<Record<string, Rule | undefined>> = {
  GlobalAveragePool: overImage('ReduceMean'),
  GlobalMaxPool: overImage('ReduceMax'),
  ReduceMean: withAxes,
  ReduceMax: withAxes,
  ReduceSum: withAxes,
  Dropout: said((node, x, adapter, out) => adapter.node(node, 'Identity', [x], [], out)),
  Less: turned('Greater'),
  LessOrEqual: turned('GreaterOrEqual'),
  Sum: oneByOne('Add'),
  Max: oneByOne('Max'),
  // |x| = max(x, −x)
  Abs: said((node, x, adapter, out) => adapter.node(node, 'Max', [x, adapter.node(node, 'Neg', [x])], [], out)),
  // min(a, b) = −max(−a, −b)
  Min: (node, adapter) => {
    const [a, b, ...others] = node.input ?? [];
    if (a === undefined || b === undefined || others.length > 0) return false;
    const [minus, other] = [a, b].map((x) => adapter.node(node, 'Neg', [x])) as [string, string];
    adapter.node(node, 'Neg', [adapter.node(node, 'Max', [minus, other])], [], first(node));
    return true;
  },
  Pow: (node, adapter) => {
    const [x = '', power] = node.input ?? [];
    const exponent = adapter.numberOf(power);
    if (exponent === 2) adapter.node(node, 'Mul', [x, x], [], first(node));
    else if (exponent === 0.5) adapter.node(node, 'Sqrt', [x], [], first(node));
    else return false;
    return true;
  },
  // x · max(0, min(1, x / 6 + ½))
  HardSwish: said((node, x, adapter, out) => {
    const gate = adapter.node(node, 'HardSigmoid', [x], [float('alpha', 1 / 6), float('beta', 0.5)]);
    adapter.node(node, 'Mul', [x, gate], [], out);
  }),
  // ½ x (1 + erf(x / √2)), or with tanh by its attribute, which has no words here.
  Gelu: (node, adapter) => {
    if (attributeOf(node, 'approximate')?.s?.length) return false;
    const [x = ''] = node.input ?? [];
    const scalar = (what: string, number: number) => adapter.floats(`${first(node)}/${what}`, [number]);
    const erf = adapter.node(node, 'Erf', [adapter.node(node, 'Mul', [x, scalar('root', Math.SQRT1_2)])]);
    const half = adapter.node(node, 'Mul', [x, scalar('half', 0.5)]);
    adapter.node(node, 'Mul', [half, adapter.node(node, 'Add', [erf, scalar('one', 1)])], [], first(node));
    return true;
  },
  // (x − max x) − log Σ e^(x − max x)
  LogSoftmax: said((node, x, adapter, out) => {
    const axes = adapter.ints(`${out}/axes`, [Number(attributeOf(node, 'axis')?.i ?? -1)]);
    const fold = (opType: string, of: string) => adapter.node(node, opType, [of, axes], [int('keepdims', 1)]);
    const below = adapter.node(node, 'Sub', [x, fold('ReduceMax', x)]);
    const sum = fold('ReduceSum', adapter.node(node, 'Exp', [below]));
    adapter.node(node, 'Sub', [below, adapter.node(node, 'Log', [sum])], [], out);
  }),
  Clip: (node, adapter) => {
    const [x = '', min = '', max = ''] = node.input ?? [];
    if (min !== '' && max !== '') return false;
    const bound = (what: string, given: string, otherwise: number) =>
      given === '' ? adapter.floats(`${first(node)}/${what}`, [attributeOf(node, what)?.f ?? otherwise]) : given;
    const largest = 3.4028234663852886e38;
    adapter.node(node, 'Clip', [x, bound('min', min, -largest), bound('max', max, largest)], [], first(node));
    return true;
  },
  LayerNormalization: (node, adapter) => {
    const [x = '', scale = '', bias = ''] = node.input ?? [];
    const dims = adapter.stored(scale)?.dims?.map(Number);
    if (bias !== '' || !dims) return false;
    const zeros = adapter.floats(`${first(node)}/bias`, new Array<number>(elementCount(dims)).fill(0), dims);
    adapter.node(node, 'LayerNormalization', [x, scale, zeros], node.attribute ?? [], first(node));
    return true;
  },
};

/** What an attribute says that changes nothing. */
const defaults: Readonly<Record<string, (attribute: onnx.IAttributeProto, node: NodeProto) => boolean>> = {
  auto_pad: ({ s }) => new TextDecoder().decode(s ?? new Uint8Array()) === 'NOTSET',
  ceil_mode: ({ i }) => Number(i) === 0,
  storage_order: ({ i }) => Number(i) === 0,
  allowzero: ({ i }) => Number(i) === 0,
  noop_with_empty_axes: ({ i }) => Number(i) === 0,
  select_last_index: ({ i }) => Number(i) === 0,
  stash_type: ({ i }) => Number(i) === 1,
  count_include_pad: ({ i }, node) =>
    Number(i) === 0 || (attributeOf(node, 'pads')?.ints ?? []).every((pad) => Number(pad) === 0),
  dilations: ({ ints }, { opType }) => /Pool$/.test(opType ?? '') && (ints ?? []).every((step) => Number(step) === 1),
};

function withoutDefaults(node: NodeProto): NodeProto {
  const attribute = (node.attribute ?? []).filter((one) => !defaults[one.name ?? '']?.(one, node));
  return { ...node, attribute };
}

/** Integers that lie in a list of their own, as raw data. */
function withRawData(tensor: onnx.ITensorProto): onnx.ITensorProto {
  const count = elementCount((tensor.dims ?? []).map(Number));
  const integers = integersOf(tensor, count);
  if (!integers) return tensor;
  const bytes: Readonly<Record<number, (() => ArrayBufferLike) | undefined>> = {
    [DataType.INT64]: () => BigInt64Array.from(integers, BigInt).buffer,
    [DataType.INT32]: () => Int32Array.from(integers).buffer,
    [DataType.UINT8]: () => Uint8Array.from(integers).buffer,
    [DataType.BOOL]: () => Uint8Array.from(integers).buffer,
  };
  const rawData = bytes[tensor.dataType ?? 0]?.();
  const { name = '', dims = [], dataType = 0 } = tensor;
  return rawData ? { name, dims, dataType, rawData: new Uint8Array(rawData) } : tensor;
}

function constantOf(node: NodeProto): onnx.ITensorProto | undefined {
  const name = first(node);
  const value = attributeOf(node, 'value')?.t;
  if (value) {
    const { dims = [], dataType = 0, rawData = new Uint8Array() } = withRawData(value);
    return { name, dims, dataType, rawData };
  }
  const [one, many] = [attributeOf(node, 'value_float')?.f, attributeOf(node, 'value_floats')?.floats];
  const numbers = many ?? (typeof one === 'number' ? [one] : undefined);
  if (numbers) {
    const rawData = new Uint8Array(Float32Array.from(numbers).buffer);
    return { name, dataType: DataType.FLOAT, dims: many ? [many.length] : [], rawData };
  }
  const [whole, wholes] = [attributeOf(node, 'value_int'), attributeOf(node, 'value_ints')?.ints];
  const integers = wholes ?? (whole ? [whole.i ?? 0] : undefined);
  if (!integers) return undefined;
  const rawData = new Uint8Array(BigInt64Array.from(integers, (integer) => BigInt(Number(integer))).buffer);
  return { name, dataType: DataType.INT64, dims: wholes ? [wholes.length] : [], rawData };
}
