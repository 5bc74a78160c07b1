/** The rule of every kind of layer. */
import type { LayerRules } from '../rule.ts';
import { dropout, relu } from './activation.ts';
import { batchNorm } from './batch-norm.ts';
import { conv2d, dense } from './linear.ts';
import { flatten, maxPool } from './shape.ts';

export const layerRules: LayerRules = { dense, conv2d, batchNorm, relu, maxPool, flatten, dropout };
