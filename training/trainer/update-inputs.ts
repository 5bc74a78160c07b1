/** Lists what the updates of a step take: the options, the tensors of the state, and the host's numbers. */
import type { Value } from '../graph/index.ts';
import {
  averageShares,
  type BnMomentum,
  type BnVariance,
  type Optimizer,
  statisticsShares,
} from '../optimizer/index.ts';
import type { CarriedOptions } from './state.ts';

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

export function valueOf(values: NamedValues, name: string): Value {
  const value = values.get(name);
  if (!value) throw new Error(`internal: ${name} is not in the state`);
  return value;
}
