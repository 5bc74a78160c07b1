/** The tensors a training run starts from. */
import type { InputStatistics, Random } from '../data/index.ts';
import { sizeOf, type Tensor } from '../graph/index.ts';
import { isTrained, type Plan, type TensorSpec, tensorsOf } from '../network/index.ts';
import type { Optimizer } from '../optimizer/index.ts';
import { slotName } from './step.ts';

export type State = ReadonlyMap<string, Tensor<'float32'>>;

/**
 * Fresh tensors of the network. Each tensor has its own stream of random numbers, so that a change to one layer leaves
 * the others' initial weights as they were.
 */
export function initializeTensors(plan: Plan, random: Random, input: InputStatistics): State {
  const [mean, variance] = plan.input;
  return new Map([
    ...tensorsOf(plan).map((spec) => [spec.name, filled(spec, random.fork(spec.name))] as const),
    [mean.name, float32(mean.shape, input.mean)],
    [variance.name, float32(variance.shape, input.variance)],
  ]);
}

/** The optimizer's state for every trained tensor, all zero. */
export function initializeSlots(plan: Plan, optimizer: Optimizer): State {
  const trained = tensorsOf(plan).filter(isTrained);
  return new Map(
    trained.flatMap(({ name, shape }) =>
      optimizer.slots.map((slot) => [slotName(name, slot), float32(shape, new Float32Array(sizeOf(shape)))] as const),
    ),
  );
}

function filled({ shape, role }: TensorSpec, random: Random): Tensor<'float32'> {
  const data = new Float32Array(sizeOf(shape));
  switch (role.kind) {
    case 'weight': {
      // Var w = 2 / fan-in keeps the variance of activations through ReLU: He et al., https://arxiv.org/abs/1502.01852
      const deviation = Math.sqrt(2 / role.fanIn);
      return float32(
        shape,
        data.map(() => deviation * random.normal()),
      );
    }
    case 'scale':
    case 'variance':
      return float32(shape, data.fill(1));
    case 'bias':
    case 'mean':
      return float32(shape, data);
  }
}

const float32 = (shape: readonly number[], data: Float32Array): Tensor<'float32'> => ({
  dtype: 'float32',
  shape,
  data,
});
