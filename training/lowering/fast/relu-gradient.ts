/**
 * The gradient of ReLU with a mask made in one pass:
 *
 *     dX = dY · Cast(Y > 0)     becomes     dX = dY · HardSigmoid(Y)
 */
import { isPositive } from './indicator.ts';
import { patterns } from '../pattern.ts';
import { replacing, rule } from '../rewrite.ts';

const { Cast, Greater, Mul } = patterns;

export const reluGradient = replacing(
  rule(Mul('dY', Cast(Greater('Y', 0), { to: 'float32' })), (g, { dY, Y }) => g.Mul(dY, isPositive(g, Y))),
);
