/** The state that a run carries from step to step: tensors by name. */
import type { Tensor } from '../graph/index.ts';
import { dataTensorsOf, isTrained, layerTensorsOf, type Plan } from '../network/index.ts';
import { createOptimizer, type Optimizer, type OptimizerChoice } from '../optimizer/index.ts';

export type State = ReadonlyMap<string, Tensor<'float32'>>;

export function tensorOf(state: State, name: string): Tensor<'float32'> {
  const tensor = state.get(name);
  if (!tensor) throw new Error(`internal: ${name} is not in the state`);
  return tensor;
}

/** Returns the name of an optimizer's state tensor for a parameter, such as `conv1.weight/exp_avg`. */
export const slotName = (parameter: string, slot: string): string => `${parameter}/${slot}`;

/** Returns the name of the average of a tensor over the steps. */
export const averageName = (tensor: string): string => `${tensor}/ema`;

/** The options that determine which tensors a run carries besides the network's. */
export interface CarriedOptions {
  readonly optimizer: Pick<Optimizer, 'slots'>;
  /** The decay of the average of the weights that is kept beside them. No average when omitted. */
  readonly ema?: number | undefined;
}

/**
 * Returns the shapes of the state that a step changes, by name: parameters, running statistics, the optimizer's slots,
 * the averages.
 */
export function carriedState(plan: Plan, { optimizer, ema }: CarriedOptions): ReadonlyMap<string, readonly number[]> {
  const tensors = layerTensorsOf(plan);
  const slots = tensors
    .filter(isTrained)
    .flatMap(({ name, shape }) => optimizer.slots.map((slot) => [slotName(name, slot), shape] as const));
  const averages = ema === undefined ? [] : tensors.map(({ name, shape }) => [averageName(name), shape] as const);
  return new Map([...tensors.map(({ name, shape }) => [name, shape] as const), ...slots, ...averages]);
}

/** Returns the shapes of a run's whole state, by name. */
export function stateShapes(
  plan: Plan,
  config: OptimizerChoice & Pick<CarriedOptions, 'ema'>,
): ReadonlyMap<string, readonly number[]> {
  return new Map([
    ...dataTensorsOf(plan).map(({ name, shape }) => [name, shape] as const),
    ...carriedState(plan, { optimizer: createOptimizer(config), ema: config.ema }),
  ]);
}
