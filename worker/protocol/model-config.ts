/**
 * Returns Triton's configuration of a model, for its clients and tools.
 * https://github.com/triton-inference-server/server/blob/v2.60.0/docs/protocol/extension_model_configuration.md
 */
import type { Model } from '../models.ts';
import type { TensorInfo } from './datatypes.ts';
import type { ModelConfig } from './responses.ts';

/** @param maxBatch the largest batch that a request may have */
export function modelConfig({ name, session }: Pick<Model, 'name' | 'session'>, maxBatch: number): ModelConfig {
  const tensors = [...session.inputs, ...session.outputs];
  // Triton's batch is the first dimension of every tensor, which `dims` leaves out. `max_batch_size` is 0 when there is
  // no batch.
  const isBatched = tensors.every(
    ({ shape, anyShape, samplesElsewhere }) => shape[0] === -1 && !anyShape && !samplesElsewhere,
  );
  const tensorOf = ({ name, datatype, shape, anyShape }: TensorInfo): ModelConfig['input'][number] => ({
    name,
    data_type: `TYPE_${datatype}`,
    dims: anyShape ? [-1] : isBatched ? shape.slice(1) : shape,
  });
  return {
    name,
    platform: 'onnxruntime_onnx',
    backend: 'onnxruntime',
    max_batch_size: isBatched ? maxBatch : 0,
    input: session.inputs.map(tensorOf),
    output: session.outputs.map(tensorOf),
  };
}
