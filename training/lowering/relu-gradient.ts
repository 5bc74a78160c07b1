/** The gradient of ReLU, dX = dY · 1[Y > 0], with a mask made in one pass. */
import { isPositive } from './indicator.ts';
import { producer, scalarOf } from './match.ts';
import { type Pass, rewrite } from './rewrite.ts';

export const reluGradient: Pass = (graph) =>
  rewrite(graph, (g, node) => {
    if (node.op !== 'Mul') return undefined;
    const greater = producer(g, producer(g, node.inputs[1], 'Cast')?.inputs[0], 'Greater');
    if (!greater || scalarOf(greater.inputs[1]) !== 0) return undefined;
    return [g.Mul(node.inputs[0], isPositive(g, greater.inputs[0]))];
  });
