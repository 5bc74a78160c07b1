/** What serving a model needs to know of its file, and its switchable twin. The file may be anybody's, and is not trusted. */
import { oneLine, UserError } from '../../training/files/index.ts';
import { decodeProto, GraphError, type onnx } from '../../training/graph/index.ts';
import type { BatchNormLayer } from '../../worker/image.ts';
import { batchNormLayers } from './batch-norm.ts';
import { requireOnnx } from './onnx-file.ts';
import { type ModelOutput, outputOf } from './output.ts';
import { type Ports, portsOf } from './ports.ts';
import { switchable } from './switchable.ts';

export interface Prepared {
  readonly batchNorm: readonly BatchNormLayer[];
  /** The network with a switch at every Batch Norm layer, where it has any and was asked for. */
  readonly switchable?: Uint8Array;
  /** The answer, for a model whose card does not say which it is: where the file itself says it, never as a guess. */
  readonly output?: ModelOutput;
}

export interface OnnxFile extends Ports {
  readonly model: onnx.IModelProto;
  readonly graph: onnx.IGraphProto;
}

/** @throws UserError, in one line that begins with the file, for what is no ONNX model, or takes or gives what is no number */
export const readOnnx = (file: string, bytes: Uint8Array): OnnxFile =>
  explained(file, () => {
    requireOnnx(bytes);
    const model = decodeProto(bytes);
    const { graph } = model;
    if (!graph?.node?.length) throw new GraphError('expected an ONNX model, got one without nodes');
    return { model, graph, ...portsOf(graph) };
  });

/**
 * @param explain whether the twin is wanted
 * @throws UserError, in one line that begins with the file, for what is no ONNX model or cannot be served
 */
export function prepareModel(file: string, bytes: Uint8Array, explain = true): Prepared {
  const { model, graph, outputs } = readOnnx(file, bytes);
  return explained(file, () => {
    const batchNorm = batchNormLayers(graph);
    const twin = explain ? switchable(bytes, model, batchNorm) : undefined;
    const output = outputOf(graph, { outputs });
    return {
      batchNorm,
      ...(twin && { switchable: twin }),
      ...(output && !output.isGuess && { output: { name: output.name, kind: output.kind } }),
    };
  });
}

function explained<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof GraphError) throw new UserError(oneLine(`${file}: ${error.message}`), { cause: error });
    throw error;
  }
}
