/** Serves TensorFlow.js on its JavaScript backend. */
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { serve } from './handler.mjs';
import { createModel } from './tfjs-model.mjs';

let predict;

async function create() {
  await tf.setBackend('cpu');
  return createModel();
}

export default serve(async (data) => (predict ??= await create())(data));
