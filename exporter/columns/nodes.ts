/**
 * Builds nodes of operators that training graphs do not use: those for texts, and those of `ai.onnx.ml`. Each call adds
 * a node and returns the name of its output.
 *
 * Source: https://onnx.ai/onnx/operators/
 */
import { type onnx, onnxProto } from '../../training/graph/index.ts';

const { AttributeProto, TensorProto } = onnxProto.onnx;
const { AttributeType } = AttributeProto;

export const elementTypes = {
  float: TensorProto.DataType.FLOAT,
  double: TensorProto.DataType.DOUBLE,
  int64: TensorProto.DataType.INT64,
  string: TensorProto.DataType.STRING,
} as const;

export type ElementType = keyof typeof elementTypes;

/** The domain of operators that ONNX defines for classical machine learning. */
export const mlDomain = 'ai.onnx.ml';

const mlOperators = new Set(['LabelEncoder']);

/** Outputs after the first that nothing reads, but that must have a name. */
const requiredOutputs = new Map([['StringSplit', ['counts']]]);

/** The name of a value. */
export type Name = string;

export interface Nodes {
  /**
   * Adds a node.
   *
   * @returns its first output
   */
  readonly add: (opType: string, inputs: readonly Name[], attributes?: readonly onnx.IAttributeProto[]) => Name;
  /** Adds a constant: a number is a scalar, an array has one dimension. */
  readonly constant: (type: Exclude<ElementType, 'string'>, values: number | readonly number[]) => Name;
  readonly text: (value: string) => Name;
  readonly cast: (value: Name, type: ElementType) => Name;
  /** Gives a value a name of its own, such as that of an output. */
  readonly named: (name: Name, value: Name) => Name;
  /** Returns everything that was added so far. */
  readonly graph: () => { readonly node: onnx.INodeProto[]; readonly initializer: onnx.ITensorProto[] };
}

/** @param prefix of all names, so that none is taken already */
export function nodeList(prefix: string): Nodes {
  const node: onnx.INodeProto[] = [];
  const initializer: onnx.ITensorProto[] = [];
  const constants = new Map<string, Name>();
  const add: Nodes['add'] = (opType, inputs, attribute = []) => {
    const output = `${prefix}/${opType}_${node.length}`;
    const domain = mlOperators.has(opType) ? mlDomain : '';
    const others = requiredOutputs.get(opType)?.map((name) => `${output}/${name}`) ?? [];
    node.push({
      opType,
      domain,
      name: output,
      input: [...inputs],
      output: [output, ...others],
      attribute: [...attribute],
    });
    return output;
  };
  const stored = (key: string, tensor: Omit<onnx.ITensorProto, 'name'>): Name => {
    const known = constants.get(key);
    if (known !== undefined) return known;
    const name = `${prefix}/constant_${initializer.length}`;
    initializer.push({ ...tensor, name });
    constants.set(key, name);
    return name;
  };
  return {
    add,
    constant: (type, values) => {
      const list = typeof values === 'number' ? [values] : values;
      return stored(JSON.stringify([type, typeof values, list.map(String)]), {
        dims: typeof values === 'number' ? [] : [list.length],
        dataType: elementTypes[type],
        rawData: rawOf[type](list),
      });
    },
    text: (value) =>
      stored(JSON.stringify(['string', value]), {
        dims: [],
        dataType: elementTypes.string,
        stringData: [utf8(value)],
      }),
    cast: (value, type) => add('Cast', [value], [attribute.int('to', elementTypes[type])]),
    named: (name, value) => {
      node.push({ opType: 'Identity', input: [value], output: [name] });
      return name;
    },
    graph: () => ({ node, initializer }),
  };
}

const rawOf = {
  float: (values) => bytesOf(Float32Array.from(values)),
  double: (values) => bytesOf(Float64Array.from(values)),
  int64: (values) => bytesOf(BigInt64Array.from(values, BigInt)),
} as const satisfies Readonly<Record<Exclude<ElementType, 'string'>, (values: readonly number[]) => Uint8Array>>;

const bytesOf = ({ buffer }: { readonly buffer: ArrayBuffer }): Uint8Array => new Uint8Array(buffer);

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Makes attributes by their type. */
export const attribute = {
  int: (name: string, i: number): onnx.IAttributeProto => ({ name, type: AttributeType.INT, i }),
  ints: (name: string, ints: readonly number[]): onnx.IAttributeProto => ({
    name,
    type: AttributeType.INTS,
    ints: [...ints],
  }),
  float: (name: string, f: number): onnx.IAttributeProto => ({ name, type: AttributeType.FLOAT, f }),
  floats: (name: string, floats: readonly number[]): onnx.IAttributeProto => ({
    name,
    type: AttributeType.FLOATS,
    floats: [...floats],
  }),
  text: (name: string, text: string): onnx.IAttributeProto => ({ name, type: AttributeType.STRING, s: utf8(text) }),
  texts: (name: string, texts: readonly string[]): onnx.IAttributeProto => ({
    name,
    type: AttributeType.STRINGS,
    strings: texts.map(utf8),
  }),
} as const;
