/** The rule of every kind of layer. */
import type { LayerRules } from '../rule.ts';
import { dropout, gelu, leakyRelu, relu, sigmoid, softmax, tanh } from './activation.ts';
import { batchNorm } from './batch-norm.ts';
import { layerNorm } from './layer-norm.ts';
import { conv2d, dense } from './linear.ts';
import { heads, members } from './members.ts';
import { residual } from './residual.ts';
import { averagePool, flatten, globalAveragePool, maxPool } from './shape.ts';

export const layerRules: LayerRules = {
  dense,
  conv2d,
  batchNorm,
  layerNorm,
  relu,
  leakyRelu,
  sigmoid,
  tanh,
  gelu,
  softmax,
  maxPool,
  averagePool,
  globalAveragePool,
  flatten,
  members,
  heads,
  dropout,
  residual,
};
