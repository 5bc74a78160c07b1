/**
 * ReLU and max pooling change places, so that ReLU and its gradient see a quarter of the elements:
 *
 *     maxpool(max(x, 0)) = max(maxpool(x), 0)
 *
 * Backward the mask moves likewise: what arrives at a window is dropped before it is routed, not after. Where a window's
 * largest element is positive both routes are the same; where it is not, nothing passes either way.
 */
import type { GraphBuilder, OpNode, Value } from '../../graph/index.ts';
import { matchRouting, type Routing } from './max-pool-gradient.ts';
import { producer, scalarOf } from '../match.ts';
import { replacing } from '../rewrite.ts';

export const reluAfterPool = replacing({ MaxPool: poolFirst, Mul: maskFirst });

function poolFirst(g: GraphBuilder, { inputs: [X], attributes }: OpNode<'MaxPool'>): readonly Value[] | undefined {
  const relu = producer(g, X, 'Relu');
  if (!relu) return undefined;
  const [pooled, Indices] = g.MaxPool(relu.inputs[0], attributes);
  return [g.Relu(pooled), Indices];
}

/** route(dY) · 1[relu(x) > 0], of the same x */
export function matchMaskedRouting(g: GraphBuilder, { inputs: [routed, mask] }: OpNode<'Mul'>) {
  const greater = producer(g, producer(g, mask, 'Cast')?.inputs[0], 'Greater');
  const relu = producer(g, greater?.inputs[0], 'Relu');
  const reshape = producer(g, routed, 'Reshape');
  const routing = reshape && matchRouting(g, reshape);
  if (!greater || !relu || !routing || scalarOf(greater.inputs[1]) !== 0) return undefined;
  return { routing, relu, zero: greater.inputs[1] };
}

/** dX = route(dY) · 1[relu(x) > 0]  becomes  dX = route(dY · 1[maxpool(x) > 0]). */
function maskFirst(g: GraphBuilder, node: OpNode<'Mul'>): readonly Value[] | undefined {
  const masked = matchMaskedRouting(g, node);
  const pooledFirst = masked && masked.routing.pool.inputs[0] === masked.relu.inputs[0];
  return pooledFirst ? [routeMasked(g, masked.routing, masked.zero)] : undefined;
}

function routeMasked(g: GraphBuilder, { pool, scatter, dY }: Routing, zero: Value): Value {
  const [data, indices] = scatter.inputs;
  const passes = g.Cast(g.Greater(pool.outputs[0], zero), { to: 'float32' });
  const updates = g.Reshape(g.Mul(dY, passes), g.ints([-1]));
  const scattered = g.ScatterElements(data, indices, updates, scatter.attributes);
  return g.Reshape(scattered, g.ints(pool.inputs[0].shape.map(Number)));
}
