/**
 * Builds the same network from TensorFlow.js layers, with weights read from `weights.bin` in the order of
 * `layout.json`.
 */
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import layout from './layout.json';
import bytes from './weights.bin';

function readWeights() {
  let offset = 0;
  return layout.map((shape) => {
    const length = shape.reduce((a, b) => a * b, 1);
    const values = new Float32Array(bytes, offset, length);
    offset += 4 * length;
    return tf.tensor(values, shape);
  });
}

const norm = () => layers.batchNormalization({ epsilon: 1e-5 });
const relu = () => layers.reLU();
const conv = (filters, options = {}) =>
  layers.conv2d({ filters, kernelSize: 3, padding: 'same', useBias: false, kernelInitializer: 'zeros', ...options });
const dense = (units, useBias) => layers.dense({ units, useBias, kernelInitializer: 'zeros' });
const pool = () => layers.maxPooling2d({ poolSize: 2 });

/** @returns a function from 784 raw pixels, 0–255, to logits */
export function createModel() {
  const [mean, variance, ...weights] = readWeights();
  const scale = tf.rsqrt(tf.add(variance, 1e-5));
  const model = sequential({
    layers: [
      ...[conv(weights[0].shape[3], { inputShape: [28, 28, 1] }), norm(), relu(), pool()],
      ...[conv(weights[5].shape[3]), norm(), relu(), pool(), layers.flatten()],
      ...[dense(weights[10].shape[1], false), norm(), relu(), dense(10, true)],
    ],
  });
  model.setWeights(model.weights.map((variable, i) => tf.reshape(weights[order[i]], variable.shape)));
  return (pixels) =>
    tf.tidy(() => {
      const image = tf.reshape(tf.tensor(pixels), [1, 28, 28, 1]);
      return model.predict(tf.mul(tf.sub(image, mean), scale)).dataSync();
    });
}

/**
 * The model lists trainable weights first: the kernels, γ and β of all layers, then the running means and variances.
 */
const order = [0, 1, 2, 5, 6, 7, 10, 11, 12, 15, 16, 3, 4, 8, 9, 13, 14];
