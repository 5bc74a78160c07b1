/** Any ONNX file, as far as serving it needs to look inside: its constants and its Batch Norm nodes. */
import onnxProto, { type onnx } from 'onnx-proto';
import { UserError } from '../../training/errors.ts';
import { decodeProto, GraphError } from '../../training/graph/index.ts';

const { TensorProto } = onnxProto.onnx;

/** @throws UserError naming the file where the bytes are no ONNX model */
export function decodeOnnx(file: string, bytes: Uint8Array): onnx.ModelProto {
  try {
    const model = decodeProto(bytes);
    if (!model.graph?.node?.length) throw new GraphError('expected an ONNX model, got one without nodes');
    return model;
  } catch (error) {
    if (error instanceof GraphError) throw new UserError(`${file}: ${error.message}`, { cause: error });
    throw error;
  }
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

/** The value that a chain of identities passes on; one that runs in a circle ends where it closes. */
function behindIdentities(name: string, sources: ReadonlyMap<string, onnx.INodeProto>): string {
  const passed = new Set<string>();
  let value = name;
  for (
    let source = sources.get(value);
    source?.opType === 'Identity' && !passed.has(value);
    source = sources.get(value)
  ) {
    passed.add(value);
    value = source.input?.[0] ?? '';
  }
  return value;
}

/** `undefined` for element types in which no Batch Norm stores its parameters, and for data kept in another file. */
export function valuesOf(tensor: onnx.ITensorProto | undefined): readonly number[] | undefined {
  const { dataType, rawData, floatData, doubleData } = tensor ?? {};
  const listed = [...(floatData ?? []), ...(doubleData ?? [])];
  if (listed.length > 0) return listed;
  if (!rawData?.byteLength) return undefined;
  const bytes = Uint8Array.from(rawData).buffer;
  if (dataType === TensorProto.DataType.FLOAT) return Array.from(new Float32Array(bytes));
  return dataType === TensorProto.DataType.DOUBLE ? Array.from(new Float64Array(bytes)) : undefined;
}
