import type { Optimizer } from './optimizer.ts';

/**
 * Adam (Kingma and Ba, https://arxiv.org/abs/1412.6980, algorithm 1):
 *
 *     m ← β₁ m + (1 − β₁) g        v ← β₂ v + (1 − β₂) g²
 *     θ ← θ − α m̂ / (√v̂ + ε)       m̂ = m / (1 − β₁ᵗ)    v̂ = v / (1 − β₂ᵗ)
 *
 * The slots hold M = m / (1 − β₁) and V = v / (1 − β₂), which saves two passes over every parameter:
 *
 *     M ← β₁ M + g                 V ← β₂ V + g²
 *     θ ← θ − a M / (√V + e)       c = √((1 − β₂) / (1 − β₂ᵗ))    a = α (1 − β₁) / ((1 − β₁ᵗ) c)    e = ε / c
 */
export const adam = ({ beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = {}): Optimizer => ({
  slots: ['exp_avg', 'exp_avg_sq'],
  scalars: (step, learningRate) => {
    const c = Math.sqrt((1 - beta2) / (1 - beta2 ** step));
    return [(learningRate * (1 - beta1)) / ((1 - beta1 ** step) * c), epsilon / c];
  },
  update: (g, { parameter, slots }, gradient, scalars) => {
    const [M, V] = slots as [typeof parameter, typeof parameter];
    const [a, e] = scalars as [typeof parameter, typeof parameter];
    const nextM = g.Add(g.Mul(M, g.scalar(beta1)), gradient);
    const nextV = g.Add(g.Mul(V, g.scalar(beta2)), g.Mul(gradient, gradient));
    const step = g.Mul(g.Div(nextM, g.Add(g.Sqrt(nextV), e)), a);
    return { parameter: g.Sub(parameter, step), slots: [nextM, nextV] };
  },
});
