/**
 * Stochastic gradient descent: plain, with momentum, and with Nesterov's momentum. As in PyTorch, the learning rate
 * scales the velocity when it is used, not when it accumulates.
 */
import type { GraphBuilder, Value } from '../graph/index.ts';
import { type Optimizer, optimizer, type OptimizerSettings } from './optimizer.ts';

const scalars = (_step: number, learningRate: number) => ({ learning_rate: learningRate });

/** θ ← θ − α g */
export const sgd = (): Optimizer =>
  optimizer({
    slots: [],
    scalars,
    weightDecay: 'l2',
    update: (g, { parameter, gradient, scalars: { learning_rate } }) => ({
      parameter: g.Sub(parameter, g.Mul(gradient, learning_rate)),
      slots: {},
    }),
  });

/**
 * Heavy-ball momentum, https://doi.org/10.1016/0041-5553(64)90137-5
 *
 *     v ← μ v + g        θ ← θ − α v
 */
export const momentum = ({ momentum: mu }: OptimizerSettings): Optimizer => withVelocity(mu, (_g, v) => v);

/**
 * Nesterov's momentum, which looks one velocity ahead: Sutskever et al.,
 * https://proceedings.mlr.press/v28/sutskever13.html
 *
 *     v ← μ v + g        θ ← θ − α (g + μ v)
 */
export const nesterov = ({ momentum: mu }: OptimizerSettings): Optimizer =>
  withVelocity(mu, (g, v, gradient) => g.Add(gradient, g.Mul(v, g.scalar(mu))));

/**
 * Makes an optimizer with a velocity.
 *
 * @param direction gives the parameter's direction from the new velocity and the gradient
 */
const withVelocity = (mu: number, direction: (g: GraphBuilder, v: Value, gradient: Value) => Value): Optimizer =>
  optimizer({
    slots: ['momentum_buffer'],
    scalars,
    weightDecay: 'l2',
    update: (g, { parameter, gradient, slots: { momentum_buffer }, scalars: { learning_rate } }) => {
      const velocity = g.Add(g.Mul(momentum_buffer, g.scalar(mu)), gradient);
      return {
        parameter: g.Sub(parameter, g.Mul(direction(g, velocity, gradient), learning_rate)),
        slots: { momentum_buffer: velocity },
      };
    },
  });
