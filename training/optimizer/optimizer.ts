/** What an optimizer is: state for each parameter, and an update emitted as graph nodes. */
import type { GraphBuilder, Value } from '../graph/index.ts';

export interface Optimizer {
  /** The names of the state tensors that each parameter has; they have its shape and start at zero. */
  readonly slots: readonly string[];
  /**
   * The numbers that change from step to step. The host computes them in float64, since bias corrections such as
   * 1 − 0.999ᵗ cancel in float32.
   *
   * @param step counts from 1
   */
  readonly scalars: (step: number, learningRate: number) => readonly number[];
  /** Emits one update. `slots` and `scalars` come in the order declared above. */
  readonly update: (
    g: GraphBuilder,
    state: ParameterState,
    gradient: Value,
    scalars: readonly Value[],
  ) => ParameterState;
}

export interface ParameterState {
  readonly parameter: Value;
  readonly slots: readonly Value[];
}
