/** Batch Norm: z̃ = γ (z − μ) / √(σ² + ε) + β, per channel. */
import { formatShape, GraphError } from '../../graph/index.ts';
import { type LayerRule, modes, own } from '../rule.ts';

export const batchNorm: LayerRule<'batchNorm'> = {
  outputShape: (_layer, inputShape) => {
    if (inputShape.length !== 1 && inputShape.length !== 3) {
      throw new GraphError(`expected features [C] or an image [C, H, W], got ${formatShape(inputShape)}`);
    }
    return inputShape;
  },
  tensors: (_layer, [channels = 0]) => [
    { name: 'weight', shape: [channels], role: { kind: 'scale' } },
    { name: 'bias', shape: [channels], role: { kind: 'bias' } },
    { name: 'running_mean', shape: [channels], role: { kind: 'mean' } },
    { name: 'running_var', shape: [channels], role: { kind: 'variance' } },
  ],
  emit: ({ epsilon }, z, context) => {
    const parameters = ['weight', 'bias', 'running_mean', 'running_var'].map((name) => own(context, name));
    const [scale, B, runningMean, runningVar] = parameters as [typeof z, typeof z, typeof z, typeof z];
    const training_mode = modes[context.mode].statistics === 'mini-batch' ? 1 : 0;
    const [y, mean, variance] = context.g.BatchNormalization(z, scale, B, runningMean, runningVar, {
      epsilon,
      momentum: context.bnMomentum,
      training_mode,
    });
    if (training_mode === 1) context.observe({ z, mean, variance });
    return y;
  },
};
