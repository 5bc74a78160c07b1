/** Builds ONNX files from short descriptions of their parts, and runs them in the runtime that serves them. */
import onnxProto, { type onnx } from 'onnx-proto';
import * as ort from 'onnxruntime-web/wasm';
import { encodeProto } from '../../training/graph/index.ts';

const { AttributeProto, TensorProto } = onnxProto.onnx;
export const { FLOAT, FLOAT16, DOUBLE, INT8, INT64 } = TensorProto.DataType;

export type Attributes = Readonly<
  Record<string, number | string | readonly number[] | onnx.ITensorProto | onnx.IGraphProto>
>;

export function node(
  opType: string,
  input: readonly string[],
  output: readonly string[],
  attributes: Attributes = {},
  domain = '',
): onnx.INodeProto {
  const attribute = Object.entries(attributes).map(([name, value]) => attributeOf(name, value));
  return { opType, name: `${output[0] ?? ''}_node`, input: [...input], output: [...output], attribute, domain };
}

function attributeOf(name: string, value: Attributes[string]): onnx.IAttributeProto {
  const { INT, FLOAT, INTS, STRING, TENSOR, GRAPH } = AttributeProto.AttributeType;
  if (typeof value === 'string') return { name, type: STRING, s: new TextEncoder().encode(value) };
  if (typeof value === 'number')
    return Number.isInteger(value) ? { name, type: INT, i: value } : { name, type: FLOAT, f: value };
  if (Array.isArray(value)) return { name, type: INTS, ints: [...(value as readonly number[])] };
  return 'dims' in value ? { name, type: TENSOR, t: value } : { name, type: GRAPH, g: value as onnx.IGraphProto };
}

export const port = (
  name: string,
  dims?: readonly (number | string)[],
  elemType: number = FLOAT,
): onnx.IValueInfoProto => ({
  name,
  type: {
    tensorType: {
      elemType,
      ...(dims && { shape: { dim: dims.map((d) => (typeof d === 'string' ? { dimParam: d } : { dimValue: d })) } }),
    },
  },
});

export function stored(
  name: string,
  values: readonly number[],
  dims: readonly number[] = [values.length],
  dataType: number = FLOAT,
): onnx.ITensorProto {
  const arrays: Readonly<Record<number, () => ArrayBufferView>> = {
    [FLOAT]: () => Float32Array.from(values),
    [DOUBLE]: () => Float64Array.from(values),
    [FLOAT16]: () => Uint16Array.from(values),
    [INT8]: () => Int8Array.from(values),
    [INT64]: () => BigInt64Array.from(values, BigInt),
  };
  const data = arrays[dataType]?.();
  return { name, dims: [...dims], dataType, rawData: new Uint8Array(data?.buffer ?? new ArrayBuffer(0)) };
}

export const model = (graph: onnx.IGraphProto, opset = 17, more: onnx.IModelProto = {}): Uint8Array =>
  encodeProto({
    irVersion: 8,
    opsetImport: [{ domain: '', version: opset }],
    graph: { name: 'g', ...graph },
    ...more,
  });

export interface Numbers {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

/** Returns the runtime's answers to successive requests. */
export async function answersOf(
  file: Uint8Array,
  ...requests: readonly Readonly<Record<string, Numbers | boolean>>[]
): Promise<Record<string, number[]>[]> {
  ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create(file, { logSeverityLevel: 4 });
  const answers: Record<string, number[]>[] = [];
  for (const request of requests) {
    const feeds = Object.entries(request).map(([name, value]) => [name, tensorOf(value)] as const);
    const outputs = await session.run(Object.fromEntries(feeds));
    answers.push(
      Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, Array.from(data as Float32Array)])),
    );
  }
  await session.release();
  return answers;
}

const tensorOf = (value: Numbers | boolean): ort.Tensor =>
  typeof value === 'boolean'
    ? new ort.Tensor('bool', Uint8Array.of(Number(value)), [])
    : new ort.Tensor('float32', Float32Array.from(value.data), value.shape);
