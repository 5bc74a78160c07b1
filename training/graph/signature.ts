/** Reads the inputs and outputs of any ONNX file, whatever its ops. */
import type { onnx } from './onnx-proto.ts';
import { decodeProto } from './decode-proto.ts';
import { type Dim, GraphError } from './types.ts';

export interface ModelSignature {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
}

export interface Port {
  readonly name: string;
  readonly shape: readonly Dim[];
}

/** @throws GraphError for bytes that are not an ONNX model */
export function modelSignature(bytes: Uint8Array): ModelSignature {
  const { input, output, initializer } = decodeProto(bytes).graph ?? {};
  if (!output?.length) throw new GraphError('expected an ONNX model, got one without outputs');
  const stored = new Set((initializer ?? []).map(({ name }) => name));
  return {
    inputs: (input ?? []).filter(({ name }) => !stored.has(name)).map(portOf),
    outputs: output.map(portOf),
  };
}

const portOf = ({ name, type }: onnx.IValueInfoProto): Port => ({
  name: name ?? '',
  shape: (type?.tensorType?.shape?.dim ?? []).map(({ dimValue, dimParam }) => Number(dimValue) || (dimParam ?? '?')),
});
