/** Recognises ONNX files, and reads their version of the operator set. */
import { recognize } from '../../training/files/index.ts';
import { GraphError, type onnx } from '../../training/graph/index.ts';

/** @throws GraphError for a file of another format that is often met */
export function requireOnnx(bytes: Uint8Array): void {
  const { kind, what } = recognize(bytes) ?? {};
  if (what !== undefined && kind !== 'onnx') throw new GraphError(`expected an ONNX model, got ${what}`);
}

/** Returns the version of ONNX's own operator set, or 0 if the model imports none. */
export function opsetOf({ opsetImport }: Pick<onnx.IModelProto, 'opsetImport'>): number {
  const own = opsetImport?.find(({ domain }) => !domain || domain === 'ai.onnx');
  return Number(own?.version ?? 0);
}
