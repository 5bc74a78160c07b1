/** The tensors a training run starts from. */
import {
  type Dataset,
  divisorsOf,
  inputStatistics,
  type InputStatistics,
  type Random,
  targetStatistics,
} from '../data/index.ts';
import { elementCount } from '../files/index.ts';
import { GraphError, type Tensor } from '../graph/index.ts';
import { isTrained, layerTensorsOf, type Plan, type TensorSpec } from '../network/index.ts';
import { averageName, type CarriedOptions, slotName, type State, tensorOf } from './state.ts';

/**
 * Fresh tensors of the network. Each tensor has its own stream of random numbers, so that a change to one layer leaves
 * the others' initial weights as they were.
 */
export function initializeTensors(plan: Plan, random: Random, dataset: Dataset): State {
  return new Map([
    ...dataStatistics(plan, dataset),
    ...layerTensorsOf(plan).map((spec) => [spec.name, filled(spec, random.fork(spec.name))] as const),
  ]);
}

/** The μ and σ of the training set that the network stores. */
function dataStatistics({ network, input, target }: Plan, dataset: Dataset): State {
  const { inputNormalization: per, categories } = network;
  const ofInputs = per === 'none' ? undefined : inputStatistics(dataset, per);
  const isNumeric = (_: number, column: number) => categories?.[column] === 0;
  const columns = (values: Float64Array) => (categories ? values.filter(isNumeric) : values);
  return new Map([
    ...stored(input, ofInputs && { mean: columns(ofInputs.mean), deviation: divisorsOf(columns(ofInputs.deviation)) }),
    ...stored(target, targetStatistics(dataset)),
  ]);
}

function stored(specs: Plan['input'], statistics: InputStatistics | undefined): State {
  if (!specs) return new Map();
  if (!statistics) throw new GraphError(`${specs.mean.name}: expected numbers to learn it from, got classes`);
  return new Map([
    [specs.mean.name, float32(specs.mean.shape, Float32Array.from(statistics.mean))],
    [specs.deviation.name, float32(specs.deviation.shape, Float32Array.from(statistics.deviation))],
  ]);
}

/** What a run carries beside the network's tensors: the optimizer's slots, all zero, and the average of the start. */
export function initializeUpdates(plan: Plan, tensors: State, { optimizer, ema }: CarriedOptions): State {
  const zeros = (shape: readonly number[]) => float32(shape, new Float32Array(elementCount(shape)));
  const slots = layerTensorsOf(plan)
    .filter(isTrained)
    .flatMap(({ name, shape }) => optimizer.slots.map((slot) => [slotName(name, slot), zeros(shape)] as const));
  if (ema === undefined) return new Map(slots);
  const averages = layerTensorsOf(plan).map(({ name }) => [averageName(name), tensorOf(tensors, name)] as const);
  return new Map([...slots, ...averages]);
}

function filled({ shape, role }: TensorSpec, random: Random): Tensor<'float32'> {
  const data = new Float32Array(elementCount(shape));
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
    case 'deviation':
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
