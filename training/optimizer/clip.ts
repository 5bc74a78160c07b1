/** Gradient clipping by the global norm. */
import type { GraphBuilder, Value } from '../graph/index.ts';

/**
 * Clips gradients by their global norm (Pascanu et al., https://arxiv.org/abs/1211.5063, algorithm 1, over all
 * parameters as one vector): they keep their direction, and their norm is at most `largest`.
 *
 *     ‖g‖ = √(Σ over all parameters Σ g²)        g ← g · c / max(‖g‖, c)
 */
export function clipByGlobalNorm(g: GraphBuilder, gradients: readonly Value[], largest: number): readonly Value[] {
  if (gradients.length === 0) return [];
  const squares = gradients.map((gradient) => sumOfSquares(g, gradient)).reduce((sum, square) => g.Add(sum, square));
  const norm = g.Sqrt(squares);
  const limit = g.scalar(largest);
  const factor = g.Div(limit, g.Where(g.Greater(norm, limit), norm, limit));
  return gradients.map((gradient) => g.Mul(gradient, factor));
}

function sumOfSquares(g: GraphBuilder, value: Value): Value {
  const axes = value.shape.map((_, axis) => axis);
  return g.ReduceSum(g.Mul(value, value), g.ints(axes), { keepdims: 0 });
}
