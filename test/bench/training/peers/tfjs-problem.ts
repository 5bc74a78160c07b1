/**
 * Reads a problem (problem.ts) in the form that TensorFlow.js needs: inputs normalized beforehand, channels last,
 * labels one-hot.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Safetensors, Tensor } from '../../../../training/checkpoint/checkpoint.ts';

export interface Dataset {
  /** `[count, H, W, C]`. */
  readonly inputs: tf.Tensor;
  /** `[count, classes]`. */
  readonly labels: tf.Tensor;
  readonly count: number;
}

export interface Problem {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly train: Dataset;
  readonly test: Dataset;
  /** The sample indices of each epoch. */
  readonly order: readonly Int32Array[];
}

const classes = 10;

export function loadProblem({ tensors }: Safetensors): Problem {
  const order = pick(tensors, 'order');
  const [epochs = 0, count = 0] = order.shape;
  const rows = order.data as Int32Array;
  return {
    tensors,
    train: dataset(tensors, 'train'),
    test: dataset(tensors, 'test'),
    order: Array.from({ length: epochs }, (_, epoch) => rows.subarray(epoch * count, (epoch + 1) * count)),
  };
}

export function pick(tensors: ReadonlyMap<string, Tensor>, name: string): Tensor {
  const tensor = tensors.get(name);
  if (!tensor) throw new Error(`internal: the problem has no ${name}`);
  return tensor;
}

export const toTf = ({ data, shape }: Tensor): tf.Tensor =>
  tf.tensor(Float32Array.from(data as Uint8Array), [...shape]);

function dataset(tensors: ReadonlyMap<string, Tensor>, part: string): Dataset {
  const labels = pick(tensors, `${part}.labels`).data as Int32Array;
  return tf.tidy(() => {
    const deviation = tf.sqrt(tf.add(toTf(pick(tensors, 'input.var')), 1e-5));
    const x = tf.div(tf.sub(toTf(pick(tensors, `${part}.inputs`)), toTf(pick(tensors, 'input.mean'))), deviation);
    return {
      inputs: tf.transpose(x, [0, 2, 3, 1]),
      labels: tf.cast(tf.oneHot(tf.tensor1d(labels, 'int32'), classes), 'float32'),
      count: labels.length,
    };
  });
}
