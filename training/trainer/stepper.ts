/** The interface of steppers, which take the steps of a run and keep its state. */
import type { Dataset } from '../data/index.ts';
import { type Divergence, divergenceError, type DivergenceError } from './finite.ts';
import type { State } from './state.ts';
import type { StepNumbers } from './step-numbers.ts';

/** The results of consecutive steps, one number for each. */
export interface StepResults {
  /** The objective's mean over the mini-batch before the update. */
  readonly loss: Float32Array;
  /**
   * The mini-batch's contribution to the objective's score: for example, how many samples were classified correctly.
   */
  readonly score: Float32Array;
}

export interface Stepper {
  /** The network's tensors, the optimizer's slots and the averages, in arrays that no step changes. */
  readonly state: State;
  /** Is true when many short calls cost no more than one long one. */
  readonly hasFreeCalls: boolean;
  /**
   * Takes a step for each mini-batch of `order`, sample indices `[steps, batchSize]`, after `done` other steps of the
   * run.
   *
   * @throws DivergenceError when a loss or any value of the state is no longer finite; the state is then of no use
   */
  readonly take: (order: Int32Array, done: number) => Promise<StepResults>;
  /** Replaces the inputs of the samples for all further steps. */
  readonly useInputs: (inputs: Dataset['inputs']) => void;
  readonly release: () => Promise<void>;
}

/** Returns the error for the step after `done` others. */
export function divergenceAfter(
  done: number,
  numbers: StepNumbers,
  what: Pick<Divergence, 'loss' | 'first'>,
): DivergenceError {
  const { epoch, learningRate } = numbers.at(done);
  return divergenceError({ step: done + 1, epoch, learningRate, ...what });
}
