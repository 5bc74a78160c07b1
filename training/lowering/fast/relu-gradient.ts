/** The gradient of ReLU, dX = dY · 1[Y > 0], with a mask made in one pass. */
import { isPositive } from './indicator.ts';
import { producer, scalarOf } from '../match.ts';
import { replacing } from '../rewrite.ts';

export const reluGradient = replacing({
  Mul: (g, { inputs: [dY, mask] }) => {
    const greater = producer(g, producer(g, mask, 'Cast')?.inputs[0], 'Greater');
    if (!greater || scalarOf(greater.inputs[1]) !== 0) return undefined;
    return [g.Mul(dY, isPositive(g, greater.inputs[0]))];
  },
});
