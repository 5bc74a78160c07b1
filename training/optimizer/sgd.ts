import type { Optimizer } from './optimizer.ts';

/**
 * Stochastic gradient descent with momentum, as PyTorch writes it (the learning rate scales the velocity when it is used):
 *
 *     v ← μ v + g        θ ← θ − α v
 */
export const sgd = ({ momentum = 0.9 } = {}): Optimizer => ({
  slots: ['momentum_buffer'],
  scalars: (_step, learningRate) => [learningRate],
  update: (g, { parameter, slots }, gradient, scalars) => {
    const [v] = slots as [typeof parameter];
    const [alpha] = scalars as [typeof parameter];
    const velocity = g.Add(g.Mul(v, g.scalar(momentum)), gradient);
    return { parameter: g.Sub(parameter, g.Mul(velocity, alpha)), slots: [velocity] };
  },
});
