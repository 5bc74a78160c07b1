/** Creates the tensors that a training run starts from. */
import {
  type Dataset,
  divisorsOf,
  inputStatistics,
  type Random,
  robustStatistics,
  targetStatistics,
} from '../data/index.ts';
import { elementCount } from '../arrays/index.ts';
import { GraphError, type Tensor } from '../graph/index.ts';
import { isTrained, layerTensorsOf, type Plan, type TensorSpec } from '../network/index.ts';
import { averageName, type CarriedOptions, slotName, type State, tensorOf } from './state.ts';

/**
 * Returns fresh tensors for the network. Each tensor has its own stream of random numbers, so a change to one layer
 * does not affect the initial weights of the others.
 */
export function initializeTensors(plan: Plan, random: Random, dataset: Dataset): State {
  return new Map([
    ...dataStatistics(plan, dataset),
    ...layerTensorsOf(plan).map((spec) => [spec.name, filled(spec, random.fork(spec.name))] as const),
  ]);
}

/** Returns the statistics of the training set that the network stores. */
function dataStatistics({ network, input, target }: Plan, dataset: Dataset): State {
  const { categories } = network;
  const ofInputs = input && inputScaling(network, dataset);
  const isNumeric = (_: number, column: number) => categories?.[column] === 0;
  const columns = (values: Float64Array) => (categories ? values.filter(isNumeric) : values);
  const ofTarget = targetStatistics(dataset);
  return new Map([
    ...stored(input, ofInputs && { center: columns(ofInputs.center), spread: divisorsOf(columns(ofInputs.spread)) }),
    ...stored(target, ofTarget && { center: ofTarget.mean, spread: ofTarget.deviation }),
  ]);
}

/** The numbers by which values are normalized: (x − center) / spread. */
interface Scaling {
  readonly center: Float64Array;
  readonly spread: Float64Array;
}

function inputScaling({ inputNormalization: per }: Plan['network'], dataset: Dataset): Scaling | undefined {
  if (per === 'none') return undefined;
  if (per === 'robust') {
    const { median, range } = robustStatistics(dataset);
    return { center: median, spread: range };
  }
  const { mean, deviation } = inputStatistics(dataset, per);
  return { center: mean, spread: deviation };
}

function stored(specs: Plan['input'], statistics: Scaling | undefined): State {
  if (!specs) return new Map();
  const { center, spread } = specs;
  if (!statistics) throw new GraphError(`${center.name}: expected numbers to learn it from, got classes`);
  return new Map([
    [center.name, float32(center.shape, Float32Array.from(statistics.center))],
    [spread.name, float32(spread.shape, Float32Array.from(statistics.spread))],
  ]);
}

/**
 * Returns what a run carries besides the network's tensors: the optimizer's slots, which start at zero, and the
 * averages, which start at the tensors themselves.
 */
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
    case 'sign':
      return float32(
        shape,
        data.map(() => (random.uniform() < 0.5 ? -1 : 1)),
      );
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
