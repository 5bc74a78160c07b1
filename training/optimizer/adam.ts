/** Adam and AdamW. */
import { type Optimizer, optimizer } from './optimizer.ts';

const [beta1, beta2, epsilon] = [0.9, 0.999, 1e-8];

/**
 * Adam (Kingma and Ba, https://arxiv.org/abs/1412.6980, algorithm 1):
 *
 *     m ← β₁ m + (1 − β₁) g        v ← β₂ v + (1 − β₂) g²
 *     θ ← θ − α m̂ / (√v̂ + ε)       m̂ = m / (1 − β₁ᵗ)    v̂ = v / (1 − β₂ᵗ)
 *
 * The slots hold M = m / (1 − β₁) and V = v / (1 − β₂), and the divisor includes the learning rate, which saves three
 * passes over every parameter. Since m̂ = M (1 − β₁) / (1 − β₁ᵗ), the step is M over the divisor √v̂ + ε multiplied by
 * −(1 − β₁ᵗ) / (α (1 − β₁)), in which √v̂ = √V √((1 − β₂) / (1 − β₂ᵗ)):
 *
 *     M ← β₁ M + g                 V ← β₂ V + g²
 *     θ ← θ + M / (r √V + d)       d = −ε (1 − β₁ᵗ) / (α (1 − β₁))       r = d / ε · √((1 − β₂) / (1 − β₂ᵗ))
 */
export const adam = (): Optimizer =>
  optimizer({
    slots: ['exp_avg', 'exp_avg_sq'],
    scalars: (step, learningRate) => {
      const perRate = -(1 - beta1 ** step) / (learningRate * (1 - beta1));
      return { r: perRate * Math.sqrt((1 - beta2) / (1 - beta2 ** step)), d: perRate * epsilon };
    },
    weightDecay: 'l2',
    update: (g, { parameter, gradient, slots: { exp_avg, exp_avg_sq }, scalars: { r, d } }) => {
      const M = g.Add(g.Mul(exp_avg, g.scalar(beta1)), gradient);
      const V = g.Add(g.Mul(exp_avg_sq, g.scalar(beta2)), g.Mul(gradient, gradient));
      const step = g.Div(M, g.Add(g.Mul(g.Sqrt(V), r), d));
      return { parameter: g.Add(parameter, step), slots: { exp_avg: M, exp_avg_sq: V } };
    },
  });

/** Adam whose weight decay bypasses m and v: Loshchilov and Hutter, https://arxiv.org/abs/1711.05101 */
export const adamw = (): Optimizer => ({ ...adam(), weightDecay: 'decoupled' });
