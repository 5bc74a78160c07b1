/** Builds files as other exporters write them. */
import { type onnx, onnxProto } from '../../../training/graph/index.ts';

const { AttributeProto, ModelProto, TensorProto } = onnxProto.onnx;
const { FLOAT, INT, INTS, STRING } = AttributeProto.AttributeType;
const types = TensorProto.DataType;

export const floats = (name: string, numbers: readonly number[], dims: readonly number[] = []): onnx.ITensorProto => ({
  name,
  dataType: types.FLOAT,
  dims: [...dims],
  rawData: new Uint8Array(Float32Array.from(numbers).buffer),
});

export const whole = (name: string, numbers: readonly number[]): onnx.ITensorProto => ({
  name,
  dataType: types.INT64,
  dims: [numbers.length],
  int64Data: [...numbers],
});

export interface File {
  readonly node: onnx.INodeProto[];
  readonly initializer?: onnx.ITensorProto[];
  readonly shape?: readonly (string | number)[];
}

/** Builds a file with the input x and the output y. */
export function fileOf({ node, initializer = [], shape = ['N', 2, 2, 3] }: File): Uint8Array {
  const dim = shape.map((size) => (typeof size === 'string' ? { dimParam: size } : { dimValue: size }));
  const port = (name: string) => ({ name, type: { tensorType: { elemType: types.FLOAT, shape: { dim } } } });
  const graph = { name: 'foreign', node, initializer, input: [port('x')], output: [port('y')] };
  return ModelProto.encode({ irVersion: 8, opsetImport: [{ domain: '', version: 18 }], graph }).finish();
}

export const node = (opType: string, input: string[], attribute: onnx.IAttributeProto[] = [], output = ['y']) => ({
  name: opType,
  opType,
  input,
  output,
  attribute,
});
export const int = (name: string, i: number) => ({ name, type: INT, i });
export const ints = (name: string, list: number[]) => ({ name, type: INTS, ints: list });

export type Size = number | 'N';
/** A nested list of numbers. */
export type Nested = number | readonly Nested[];
type Initializers = readonly onnx.ITensorProto[];

export const text = (name: string, value: string) => ({ name, type: STRING, s: new TextEncoder().encode(value) });
export const float = (name: string, f: number) => ({ name, type: FLOAT, f });
export const nodeOf = (opType: string, initializer: Initializers, attributes: onnx.IAttributeProto[], output = ['y']) =>
  node(opType, ['x', ...initializer.map(({ name }) => name ?? '')], attributes, output);

export type Form = readonly [
  about: string,
  shape: readonly Size[],
  opType: string,
  rest: { readonly given?: Initializers; readonly attributes?: onnx.IAttributeProto[]; readonly output?: string[] },
  answer: Nested,
];

export const slice = (starts: number[], ends: number[], axes: number[], steps: number[]) => ({
  given: [whole('starts', starts), whole('ends', ends), whole('axes', axes), whole('steps', steps)],
});
export const pad = (mode: string, pads: number[]) => ({
  given: [whole('pads', pads)],
  attributes: [text('mode', mode)],
});
