/** RMSprop. */
import { type Optimizer, optimizer } from './optimizer.ts';

const [rho, epsilon] = [0.99, 1e-8];

/**
 * RMSprop (Tieleman and Hinton, Neural Networks for Machine Learning, lecture 6e, 2012,
 * https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf), with ρ and ε as in PyTorch:
 *
 *     v ← ρ v + (1 − ρ) g²        θ ← θ − α g / (√v + ε)
 */
export const rmsprop = (): Optimizer =>
  optimizer({
    slots: ['square_avg'],
    scalars: (_step, learningRate) => ({ learning_rate: learningRate }),
    weightDecay: 'l2',
    update: (g, { parameter, gradient, slots: { square_avg }, scalars: { learning_rate } }) => {
      const square = g.Mul(g.Mul(gradient, gradient), g.scalar(1 - rho));
      const average = g.Add(g.Mul(square_avg, g.scalar(rho)), square);
      const step = g.Div(gradient, g.Add(g.Sqrt(average), g.scalar(epsilon)));
      return {
        parameter: g.Sub(parameter, g.Mul(step, learning_rate)),
        slots: { square_avg: average },
      };
    },
  });
