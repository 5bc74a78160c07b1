/**
 * Runs a job with TensorFlow.js: its layers API on its WebAssembly backend, with SIMD. Its threads do not start in Node
 * (https://github.com/tensorflow/tfjs/issues/3830).
 */
import * as tf from '@tensorflow/tfjs-core';
import { setWasmPaths, version_wasm } from '@tensorflow/tfjs-backend-wasm';
import { createRequire } from 'node:module';
import { dirname, sep } from 'node:path';
import { readSafetensors } from '../../../../training/checkpoint/checkpoint.ts';
import { rateFactor } from '../../../../training/optimizer/index.ts';
import type { Job } from '../job.ts';
import { reportJob, type Trainer } from '../measure.ts';
import { registerConvolutionGradient } from './tfjs-convolution-gradient.ts';
import { buildModel } from './tfjs-model.ts';
import { type Dataset, loadProblem, type Problem } from './tfjs-problem.ts';

const evaluationBatch = 500;

async function startBackend(): Promise<string> {
  setWasmPaths(dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm')) + sep);
  registerConvolutionGradient();
  await tf.setBackend('wasm');
  if (!(await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT'))) throw new Error('TensorFlow.js found no WebAssembly SIMD');
  return `TensorFlow.js ${version_wasm}, WASM SIMD, 1 thread`;
}

function createTrainer(engine: string, { network, config }: Job, { tensors, train, test, order }: Problem): Trainer {
  const { learningRate, schedule, batchSize, epochs } = config;
  const optimizer = config.optimizer === 'adam' ? tf.train.adam(learningRate) : tf.train.momentum(learningRate, 0.9);
  const model = buildModel(network, tensors, Number(config.bnMomentum));
  model.compile({ optimizer, loss: meanCrossEntropy });
  const stepsPerEpoch = Math.floor(train.count / batchSize);
  let step = 0;
  return {
    engine,
    stepsPerEpoch,
    stepsPerCall: 1,
    train: async () => {
      const epochOrder = order[Math.floor(step / stepsPerEpoch) % order.length] as Int32Array;
      const start = (step % stepsPerEpoch) * batchSize;
      setLearningRate(optimizer, learningRate * rateFactor(schedule, step / (epochs * stepsPerEpoch)));
      const [x, y] = gather(train, epochOrder.subarray(start, start + batchSize));
      const loss = await model.trainOnBatch(x, y);
      tf.dispose([x, y]);
      step++;
      return [loss as number];
    },
    testAccuracy: () => Promise.resolve(accuracy((x) => model.predictOnBatch(x) as tf.Tensor, test)),
  };
}

const meanCrossEntropy = (labels: tf.Tensor, logits: tf.Tensor): tf.Tensor =>
  tf.losses.softmaxCrossEntropy(labels, logits);

/** Sets the protected field, which the optimizers read at every step. */
function setLearningRate(optimizer: tf.Optimizer, learningRate: number): void {
  Object.assign(optimizer, { learningRate });
}

/** Gathers one mini-batch: inputs `[B, H, W, C]` and one-hot labels `[B, classes]`. */
function gather({ inputs, labels }: Dataset, indices: Int32Array): [tf.Tensor, tf.Tensor] {
  return tf.tidy(() => {
    const rows = tf.tensor1d(indices, 'int32');
    return [tf.gather(inputs, rows), tf.gather(labels, rows)];
  });
}

function accuracy(predict: (x: tf.Tensor) => tf.Tensor, { inputs, labels, count }: Dataset): number {
  let correct = 0;
  for (let start = 0; start < count; start += evaluationBatch) {
    correct += tf.tidy(() => {
      const size = Math.min(evaluationBatch, count - start);
      const [x, y] = [inputs, labels].map((all) => tf.slice(all, start, size)) as [tf.Tensor, tf.Tensor];
      return tf.sum(tf.cast(tf.equal(tf.argMax(predict(x), 1), tf.argMax(y, 1)), 'float32')).dataSync()[0] ?? 0;
    });
  }
  return correct / count;
}

const job = JSON.parse(process.argv[2] ?? '') as Job;
const engine = await startBackend();
const problem = loadProblem(await readSafetensors(process.argv[3] ?? ''));
await reportJob(createTrainer(engine, job, problem), job);
