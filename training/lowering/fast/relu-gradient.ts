/**
 * The gradient of ReLU with a mask that is made in one pass over memory:
 *
 *     dY · Cast(Y > 0)     becomes     dY · HardSigmoid(Y)
 *
 * Gain: without it steps take 1.00 to 1.04 times as long (`npm run bench:lowering`: 1.03 for mnist-resnet).
 */
import { isPositive } from './indicator.ts';
import { patterns } from '../pattern.ts';
import { replacing, rule } from '../rewrite.ts';

const { Cast, Greater, Mul } = patterns;

export const reluGradient = replacing(
  rule(Mul('dY', Cast(Greater('Y', 0), { to: 'float32' })), (g, { dY, Y }) => g.Mul(dY, isPositive(g, Y))),
);
