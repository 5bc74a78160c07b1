/** Emits what a step changes, as graph nodes: the parameters, the running statistics, and the averages of both. */
import { at } from '../arrays/index.ts';
import type { GraphBuilder, Value } from '../graph/index.ts';
import type { BatchStatistics, TensorSpec } from '../network/index.ts';
import {
  averageShares,
  type BnMomentum,
  type BnVariance,
  clipByGlobalNorm,
  emitAverage,
  type Optimizer,
  statisticsShares,
  unbiasedVariance,
} from '../optimizer/index.ts';
import { averageName, type CarriedOptions, slotName } from './state.ts';

export interface UpdateOptions extends CarriedOptions {
  readonly optimizer: Optimizer;
  /** λ, for weights alone: γ, β and biases do not decay. No decay when omitted. */
  readonly weightDecay?: number | undefined;
  /** The maximum global norm of the gradients. Unlimited when omitted. */
  readonly clipNorm?: number | undefined;
  readonly bnMomentum: BnMomentum;
  /**
   * The number of mini-batches that the running statistics already average before the first step, used without a
   * momentum. None when omitted.
   */
  readonly bnBatches?: number | undefined;
  readonly bnVariance?: BnVariance | undefined;
}

export type NamedValues = ReadonlyMap<string, Value>;

/** The tensors of the state and the numbers of the step, by name. */
export interface UpdateInputs {
  readonly state: NamedValues;
  readonly scalars: NamedValues;
}

/** Computes the host's numbers for a step, which counts from 1. Their names do not depend on the step. */
export function stepScalars(
  options: UpdateOptions,
  step: number,
  learningRate: number,
): Readonly<Record<string, number>> {
  const { optimizer, weightDecay, ema, bnMomentum, bnBatches } = options;
  return {
    ...optimizer.scalars(step, learningRate),
    ...(weightDecay && optimizer.weightDecay === 'decoupled' && { weights_kept: 1 - learningRate * weightDecay }),
    ...statisticsShares(bnMomentum, step, bnBatches),
    ...(ema !== undefined && averageShares(ema, step)),
  };
}

/** Names the host's numbers for a step. */
export const scalarNames = (options: UpdateOptions): readonly string[] => Object.keys(stepScalars(options, 1, 1));

/**
 * Emits the parameters and their optimizer's slots after the step.
 *
 * @param gradients by the names of the parameters
 */
export function updateParameters(
  g: GraphBuilder,
  trained: readonly TensorSpec[],
  gradients: NamedValues,
  inputs: UpdateInputs,
  options: UpdateOptions,
): NamedValues {
  const { clipNorm } = options;
  const given = trained.map(({ name }) => valueOf(gradients, name));
  const clipped = clipNorm === undefined ? given : g.scoped('clip', () => clipByGlobalNorm(g, given, clipNorm));
  const updates = trained.flatMap((spec, i) =>
    g.scoped(`${spec.name}/update`, () => updateParameter(g, spec, at(clipped, i), inputs, options)),
  );
  return new Map(updates);
}

function updateParameter(
  g: GraphBuilder,
  { name, role }: TensorSpec,
  gradient: Value,
  { state, scalars }: UpdateInputs,
  { optimizer, weightDecay }: UpdateOptions,
): readonly (readonly [string, Value])[] {
  const theta = valueOf(state, name);
  const decay = role.kind === 'weight' && weightDecay ? optimizer.weightDecay : undefined;
  const after = optimizer.update(g, {
    parameter: decay === 'decoupled' ? g.Mul(theta, valueOf(scalars, 'weights_kept')) : theta,
    gradient: decay === 'l2' ? g.Add(gradient, g.Mul(theta, g.scalar(weightDecay ?? 0))) : gradient,
    slots: Object.fromEntries(optimizer.slots.map((slot) => [slot, valueOf(state, slotName(name, slot))])),
    scalars: Object.fromEntries(scalars),
  });
  const slots = Object.entries(after.slots).map(([slot, value]) => [slotName(name, slot), value] as const);
  return [[name, after.parameter], ...slots];
}

/** Emits the mini-batch's means and variances, by the names of the running ones. */
export function emitStatistics(
  g: GraphBuilder,
  batchStatistics: ReadonlyMap<string, BatchStatistics>,
  { bnVariance }: Pick<UpdateOptions, 'bnVariance'>,
): NamedValues {
  return new Map(
    [...batchStatistics].flatMap(([layer, { z, mean, variance }]) => {
      const name = `${layer}.running_var`;
      const unbiased = () => g.scoped(`${name}/update`, () => unbiasedVariance(g, variance, z));
      return [
        [`${layer}.running_mean`, mean] as const,
        [name, bnVariance === 'unbiased' ? unbiased() : variance] as const,
      ];
    }),
  );
}

/** Emits the running means and variances after the step. */
export function updateStatistics(g: GraphBuilder, batch: NamedValues, { state, scalars }: UpdateInputs): NamedValues {
  const [kept, fresh] = [valueOf(scalars, 'statistics_kept'), valueOf(scalars, 'statistics_fresh')];
  return new Map(
    [...batch].map(([name, value]) => [
      name,
      g.scoped(`${name}/update`, () => emitAverage(g, valueOf(state, name), value, kept, fresh)),
    ]),
  );
}

/** Emits the averages, under their own names, of the tensors after the step. */
export function updateAverages(
  g: GraphBuilder,
  tensors: readonly TensorSpec[],
  changed: NamedValues,
  { state, scalars }: UpdateInputs,
): NamedValues {
  const [kept, fresh] = [valueOf(scalars, 'average_kept'), valueOf(scalars, 'average_fresh')];
  return new Map(
    tensors.map(({ name }) => {
      const old = valueOf(state, averageName(name));
      const value = changed.get(name) ?? valueOf(state, name);
      return [averageName(name), g.scoped(`${name}/average`, () => emitAverage(g, old, value, kept, fresh))];
    }),
  );
}

export function valueOf(values: NamedValues, name: string): Value {
  const value = values.get(name);
  if (!value) throw new Error(`internal: ${name} is not in the state`);
  return value;
}
