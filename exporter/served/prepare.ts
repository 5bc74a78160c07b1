/** What serving a model needs to know of its file, and its switchable twin. The file may be anybody's, and is not trusted. */
import { oneLine, UserError } from '../../training/files/index.ts';
import { decodeProto, GraphError } from '../../training/graph/index.ts';
import { type BatchNormLayer, batchNormLayers } from './batch-norm.ts';
import { requireNumbers } from './runnable.ts';
import { switchable } from './switchable.ts';

export interface Prepared {
  readonly batchNorm: readonly BatchNormLayer[];
  /** The network with a switch at every Batch Norm layer, where it has any and was asked for. */
  readonly switchable?: Uint8Array;
}

/**
 * @param explain whether the twin is wanted
 * @throws UserError, in one line that begins with the file, for what is no ONNX model or cannot be served
 */
export function prepareModel(file: string, bytes: Uint8Array, explain = true): Prepared {
  try {
    const model = decodeProto(bytes);
    const { graph } = model;
    if (!graph?.node?.length) throw new GraphError('expected an ONNX model, got one without nodes');
    requireNumbers(graph);
    const batchNorm = batchNormLayers(graph);
    const twin = explain ? switchable(bytes, model, batchNorm) : undefined;
    return { batchNorm, ...(twin && { switchable: twin }) };
  } catch (error) {
    if (error instanceof GraphError) throw new UserError(oneLine(`${file}: ${error.message}`), { cause: error });
    throw error;
  }
}
