/** Builds a network as a TensorFlow.js layers model with the problem's initial tensors. */
import * as tf from '@tensorflow/tfjs-core';
import { layers as keras, type LayersModel, sequential } from '@tensorflow/tfjs-layers';
import type { Tensor } from '../../../../training/checkpoint/checkpoint.ts';
import { type Layer, type Network, planNetwork } from '../../../../training/network/index.ts';
import { pick, toTf } from './tfjs-problem.ts';

/** @param momentum the share of the old running statistics that a step keeps */
export function buildModel(network: Network, tensors: ReadonlyMap<string, Tensor>, momentum: number): LayersModel {
  const [channels = 1, ...spatial] = network.inputShape;
  const model = sequential();
  model.add(keras.inputLayer({ inputShape: [...spatial, channels] }));
  const { layers } = planNetwork(network);
  const shapeBefore = (index: number) => layers[index - 1]?.outputShape ?? network.inputShape;
  layers.forEach(({ name, layer }, i) => {
    const added = kerasLayer(layer, tensors.has(`${name}.bias`), momentum);
    model.add(added);
    const features = layers[i - 1]?.layer.kind === 'flatten' ? shapeBefore(i - 1) : shapeBefore(i);
    added.setWeights(weightsOf(layer, name, tensors, features));
  });
  return model;
}

function kerasLayer(layer: Layer, useBias: boolean, momentum: number) {
  switch (layer.kind) {
    case 'dense':
      return keras.dense({ units: layer.units, useBias });
    case 'conv2d': {
      const { channels: filters, kernel: kernelSize, stride: strides } = layer;
      return keras.conv2d({ filters, kernelSize, strides, padding: paddingOf(layer), useBias });
    }
    case 'batchNorm':
      return keras.batchNormalization({ momentum, epsilon: layer.epsilon });
    case 'relu':
      return keras.reLU();
    case 'maxPool':
      return keras.maxPooling2d({ poolSize: layer.kernel, strides: layer.stride });
    case 'flatten':
      return keras.flatten();
    default:
      throw new Error(`tfjs-wasm: the benchmark has no layer ${layer.kind}`);
  }
}

function paddingOf({ kernel, stride, padding }: Extract<Layer, { kind: 'conv2d' }>): 'valid' | 'same' {
  if (padding === 0) return 'valid';
  if (stride === 1 && 2 * padding === kernel - 1) return 'same';
  throw new Error(`tfjs-wasm: expected padding 0 or same, got ${padding} with kernel ${kernel} and stride ${stride}`);
}

/** Returns the weights in the order of the layer's own weights. */
function weightsOf(layer: Layer, name: string, tensors: ReadonlyMap<string, Tensor>, features: readonly number[]) {
  const load = (tensor: string) => toTf(pick(tensors, `${name}.${tensor}`));
  if (layer.kind === 'batchNorm') return ['weight', 'bias', 'running_mean', 'running_var'].map(load);
  if (layer.kind !== 'dense' && layer.kind !== 'conv2d') return [];
  const kernel = channelsLast(load('weight'), layer.kind === 'dense' ? features : undefined);
  return tensors.has(`${name}.bias`) ? [kernel, load('bias')] : [kernel];
}

/**
 * Transposes kernels to TensorFlow's layout: `[O, I, kH, kW]` to `[kH, kW, I, O]`. The kernel of a dense layer whose
 * inputs are those of an image is transposed from `[O, C · H · W]` to `[H · W · C, O]`.
 *
 * @param features the inputs of a dense layer, `[C, H, W]` or `[C]`
 */
function channelsLast(weight: tf.Tensor, features?: readonly number[]): tf.Tensor {
  if (!features) return tf.transpose(weight, [2, 3, 1, 0]);
  const [outputs = 0, inputs = 0] = weight.shape;
  const [channels = inputs, height = 1, width = 1] = features;
  const image = tf.reshape(weight, [outputs, channels, height, width]);
  return tf.reshape(tf.transpose(image, [2, 3, 1, 0]), [inputs, outputs]);
}
