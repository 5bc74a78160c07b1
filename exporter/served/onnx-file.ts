/** Any ONNX file, as far as serving it needs to look inside: its constants and its Batch Norm nodes. */
import { GraphError, type onnx, onnxProto } from '../../training/graph/index.ts';

const { FLOAT, DOUBLE }: Readonly<Record<'FLOAT' | 'DOUBLE', number>> = onnxProto.onnx.TensorProto.DataType;

/** What lies where a model should, by its first bytes. */
const others: readonly (readonly [begins: RegExp, what: string])[] = [
  [/^$/, 'an empty file'],
  [/^version https:\/\/git-lfs/, 'a pointer of Git LFS: git lfs pull fetches the file'],
  [
    /^(\u00ef\u00bb\u00bf)?\s*<(!doctype html|html|head|body)[\s>]/i,
    'a web page, as a link to a page about the file gives',
  ],
  [/^PK\u0003\u0004/, 'a ZIP archive, such as a .pt of PyTorch: torch.onnx.export writes ONNX'],
  [/^\u0089HDF/, 'an HDF5 file, such as an .h5 of Keras: tf2onnx writes ONNX'],
];

/** @throws GraphError for what is something else that is often met */
export function requireOnnx(bytes: Uint8Array): void {
  const start = Buffer.from(bytes.subarray(0, 100)).toString('latin1');
  const other = others.find(([begins]) => begins.test(start));
  if (other) throw new GraphError(`expected an ONNX model, got ${other[1]}`);
}

/** The version of ONNX's own operator set, or 0 where the model imports none. */
export function opsetOf({ opsetImport }: onnx.IModelProto): number {
  const own = opsetImport?.find(({ domain }) => !domain || domain === 'ai.onnx');
  return Number(own?.version ?? 0);
}

/** Looks up a stored tensor by its name: initializers, constant nodes, and identities of them. */
export function constantsOf(graph: onnx.IGraphProto): (name: string) => onnx.ITensorProto | undefined {
  const stored = new Map((graph.initializer ?? []).map((tensor) => [tensor.name ?? '', tensor]));
  const sources = new Map((graph.node ?? []).map((node) => [node.output?.[0] ?? '', node]));
  return (name) => {
    const value = behindIdentities(name, sources);
    const held = sources.get(value)?.attribute?.find((attribute) => attribute.name === 'value')?.t;
    return stored.get(value) ?? held ?? undefined;
  };
}

/** The value that a chain of identities passes on, as far as it is followed: it may run in a circle. */
function behindIdentities(name: string, sources: ReadonlyMap<string, onnx.INodeProto>): string {
  let value = name;
  for (let steps = 0; steps < LONGEST_CHAIN; steps++) {
    const source = sources.get(value);
    if (source?.opType !== 'Identity') break;
    value = source.input?.[0] ?? '';
  }
  return value;
}

/** Exporters leave one or two between a parameter and its use. */
const LONGEST_CHAIN = 100;

export type Parameter = Float32Array | Float64Array;

/** `undefined` for element types in which no Batch Norm stores its parameters, and for data that is elsewhere or not all there. */
export function valuesOf(tensor: onnx.ITensorProto | undefined): Parameter | undefined {
  const { dataType, dims, rawData } = tensor ?? {};
  const Values = dataType === FLOAT ? Float32Array : dataType === DOUBLE ? Float64Array : undefined;
  const size = (dims ?? []).reduce<number>((product, dim) => product * Number(dim), Values?.BYTES_PER_ELEMENT ?? 0);
  if (!Values || !rawData || size !== rawData.byteLength) return undefined;
  return new Values(new Uint8Array(rawData).buffer);
}
