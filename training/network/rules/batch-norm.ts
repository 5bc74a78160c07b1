/**
 * Batch Norm: z̃ = γ (z − μ) / √(σ² + ε) + β, per channel, or per feature of each member. In inference mode it is
 * ONNX's `BatchNormalization` node; `exporter/model/inference-graph.ts` stores its four tensors.
 */
import { at, elementCount } from '../../arrays/index.ts';
import { formatShape, GraphError } from '../../graph/index.ts';
import { type LayerRule, modes, requiredTensor } from '../rule.ts';

export const batchNorm: LayerRule<'batchNorm'> = {
  outputShape: (_layer, inputShape) => {
    if (inputShape.length < 1 || inputShape.length > 3) {
      throw new GraphError(`expected features [C] or an image [C, H, W], got ${formatShape(inputShape)}`);
    }
    return inputShape;
  },
  tensors: (_layer, inputShape) => {
    const shape = [channelsOf(inputShape)];
    return [
      { name: 'weight', shape, role: { kind: 'scale' } },
      { name: 'bias', shape, role: { kind: 'bias' } },
      { name: 'running_mean', shape, role: { kind: 'mean' } },
      { name: 'running_var', shape, role: { kind: 'variance' } },
    ];
  },
  emit: ({ epsilon }, x, context) => {
    const { g } = context;
    const [, members, features] = x.shape;
    const ofMembers = x.shape.length === 3;
    const z = ofMembers ? g.Reshape(x, g.ints([0, Number(members) * Number(features)])) : x;
    const [scale, B] = [requiredTensor(context, 'weight'), requiredTensor(context, 'bias')];
    const [runningMean, runningVar] = [requiredTensor(context, 'running_mean'), requiredTensor(context, 'running_var')];
    const training_mode = modes[context.mode].statistics === 'mini-batch' ? 1 : 0;
    const [y, mean, variance] = g.BatchNormalization(z, scale, B, runningMean, runningVar, {
      epsilon,
      momentum: context.bnMomentum,
      training_mode,
    });
    if (training_mode === 1) context.observe({ z, mean, variance });
    return ofMembers ? g.Reshape(y, g.ints([0, Number(members), Number(features)])) : y;
  },
};

/** Counts the channels. Each feature of each member is a channel of its own. */
const channelsOf = (inputShape: readonly number[]): number =>
  inputShape.length === 2 ? elementCount(inputShape) : at(inputShape, 0);
