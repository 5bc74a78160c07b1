/**
 * Comparisons that give 0 or 1 as floats in one pass over memory, where Greater and Cast take two.
 *
 *     HardSigmoid(x) = max(0, min(1, alpha · x + beta))
 *
 * is a step function if alpha is so large that no x but zero lies on the ramp: 2⁻¹²⁶ is the smallest normal float32.
 */
import type { GraphBuilder, Value } from '../../graph/index.ts';

const steep = 2 ** 126;

/** 1[x > 0] */
export const isPositive = (g: GraphBuilder, x: Value): Value => g.HardSigmoid(x, { alpha: steep, beta: 0 });

/** 1[a ≥ b] */
export const atLeast = (g: GraphBuilder, a: Value, b: Value): Value =>
  g.HardSigmoid(g.Sub(a, b), { alpha: steep, beta: 1 });
