/** The interface of an optimizer: state for each parameter, and an update emitted as graph nodes. */
import type { GraphBuilder, Value } from '../graph/index.ts';

export interface OptimizerOf<Slot extends string, Scalar extends string> {
  /** The names of the state tensors of each parameter. They have its shape and start at zero. */
  readonly slots: readonly Slot[];
  /**
   * Returns the numbers that change from step to step. The host computes them in float64, since bias corrections such
   * as 1 − 0.999ᵗ cancel in float32.
   *
   * @param step counts from 1
   */
  readonly scalars: (step: number, learningRate: number) => Readonly<Record<Scalar, number>>;
  readonly weightDecay: WeightDecay;
  readonly update: (g: GraphBuilder, before: UpdateInputs<Slot, Scalar>) => ParameterState<Slot>;
}

/**
 * The way in which weights are drawn towards zero, with strength λ at learning rate α: `l2` adds λ θ to the gradient,
 * `decoupled` shrinks θ to (1 − α λ) θ apart from the gradient's step.
 */
export type WeightDecay = 'l2' | 'decoupled';

export interface ParameterState<Slot extends string> {
  readonly parameter: Value;
  readonly slots: Readonly<Record<Slot, Value>>;
}

export interface UpdateInputs<Slot extends string, Scalar extends string> extends ParameterState<Slot> {
  readonly gradient: Value;
  readonly scalars: Readonly<Record<Scalar, Value>>;
}

export type Optimizer = OptimizerOf<string, string>;

export interface OptimizerSettings {
  /** The share of the velocity that is kept, for optimizers that have one. */
  readonly momentum: number;
}

/**
 * Types an optimizer by the names of its slots and scalars inside its definition, and hides these names from its users.
 */
export const optimizer = <const Slot extends string, Scalar extends string>(
  definition: OptimizerOf<Slot, Scalar>,
): Optimizer => definition;
