/** Runs TensorFlow.js on its WebAssembly backend, with its own optimizer. */
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops';
import { serve } from './worker.mjs';

async function openStep({ inputs, inputSize, labels, classes, learningRate, momentum, epsilon, networks }) {
  setWasmPaths('/');
  await tf.setBackend('wasm');
  const x = tf.tensor2d(inputs, [labels.length, inputSize]);
  const targets = tf.oneHot(tf.tensor1d(labels, 'int32'), classes);
  const steps = networks.map((layers) => openNetwork(layers, { learningRate, momentum, epsilon }));
  return (indices) => {
    const losses = tf.tidy(() => {
      const of = tf.tensor1d(indices, 'int32');
      const batch = [tf.gather(x, of), tf.gather(targets, of)];
      return steps.map((step) => step(...batch));
    });
    return async () => {
      const read = await Promise.all(losses.map((loss) => loss.data()));
      losses.forEach((loss) => loss.dispose());
      return read.map(([value]) => value);
    };
  };
}

function openNetwork(stored, { learningRate, momentum, epsilon }) {
  const optimizer = tf.train.sgd(learningRate);
  const variable = (tensor, trainable = true) => tensor && tf.variable(tf.tensor(tensor.data, tensor.shape), trainable);
  const layers = stored.map(({ weight, bias, norm }) => ({
    weight: variable(weight),
    bias: variable(bias),
    norm: norm && {
      gamma: variable(norm.gamma),
      beta: variable(norm.beta),
      mean: variable(norm.mean, false),
      variance: variable(norm.variance, false),
    },
  }));
  const forward = (x, seen) =>
    layers.reduce((before, { weight, bias, norm }, i) => {
      const product = tf.matMul(before, weight, false, true);
      const z = bias ? product.add(bias) : product;
      if (i === layers.length - 1) return z;
      if (!norm) return z.relu();
      const { mean, variance } = tf.moments(z, 0);
      seen.push(tf.keep(mean.clone()), tf.keep(variance.clone()));
      const normalized = z.sub(mean).mul(variance.add(epsilon).rsqrt());
      return normalized.mul(norm.gamma).add(norm.beta).relu();
    }, x);
  return (x, targets) => {
    const seen = [];
    const loss = optimizer.minimize(() => tf.losses.softmaxCrossEntropy(targets, forward(x, seen)), true);
    const running = layers.flatMap(({ norm }) => (norm ? [norm.mean, norm.variance] : []));
    running.forEach((value, i) => {
      value.assign(value.mul(momentum).add(seen[i].mul(1 - momentum)));
      seen[i].dispose();
    });
    return loss;
  };
}

serve(openStep);
