/** What takes the steps of a run, and keeps what they change. */
import type { Dataset } from '../data/index.ts';
import { type Divergence, divergenceError, type DivergenceError } from './finite.ts';
import type { State } from './state.ts';
import type { StepNumbers } from './step-numbers.ts';

/** One number for each step. */
export interface StepResults {
  /** The objective's mean over the mini-batch before the update. */
  readonly loss: Float32Array;
  /** What the mini-batch adds to the objective's score: how many samples were classified correctly, say. */
  readonly score: Float32Array;
}

export interface Stepper {
  /** Of the network's tensors, the optimizer's slots and the averages, in arrays that no step changes. */
  readonly state: State;
  /** Whether many short calls cost no more than one long one. */
  readonly hasFreeCalls: boolean;
  /**
   * Takes a step for each mini-batch of `order`, sample indices `[steps, batchSize]`, after `done` others of the run.
   *
   * @throws DivergenceError when a loss or anything in the state is no longer a finite number; the state is then of no use
   */
  readonly take: (order: Int32Array, done: number) => Promise<StepResults>;
  /** From now on the steps see other inputs of the same samples. */
  readonly useInputs: (inputs: Dataset['inputs']) => void;
  readonly release: () => Promise<void>;
}

/** The error of the step after `done` others. */
export function divergenceAfter(
  done: number,
  numbers: StepNumbers,
  what: Pick<Divergence, 'loss' | 'first'>,
): DivergenceError {
  const { epoch, learningRate } = numbers.at(done);
  return divergenceError({ step: done + 1, epoch, learningRate, ...what });
}
