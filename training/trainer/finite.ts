/** Finds NaN and infinity in a run's state, and builds the error that tells the user where they appeared. */
import { present } from '../arrays/index.ts';
import { UserError } from '../files/index.ts';
import type { State } from './state.ts';

/** The first value that is NaN or infinite. */
export interface NonFinite {
  readonly tensor: string;
  readonly value: number;
}

/** Searches the tensors in the order of the state, which is the order of the network's layers. */
export function findNonFinite(state: State): NonFinite | undefined {
  for (const [tensor, { data }] of state) {
    if (!allFinite(data)) return { tensor, value: present(data.find((value) => !Number.isFinite(value))) };
  }
  return undefined;
}

/**
 * Is true when all values are finite. This runs after every call of the graph, so it computes a single sum: 0 · x is 0
 * for finite x and NaN otherwise.
 */
export function allFinite(data: Float32Array): boolean {
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += (data[i] as number) * 0;
  return sum === 0;
}

export interface Divergence {
  readonly step: number;
  readonly epoch: number;
  readonly learningRate: number;
  readonly loss: number;
  readonly first: NonFinite | undefined;
}

/** Training has produced NaN or infinity. A caller that tries several learning rates catches this error and goes on. */
export class DivergenceError extends UserError {}

export function divergenceError({ step, epoch, learningRate, loss, first }: Divergence): DivergenceError {
  const [layer] = first?.tensor.split(/\.(?=[^.]+$)/) ?? [];
  const where = first ? `${first.value} in layer ${layer} (${first.tensor})` : `${loss} of outputs that are too large`;
  return new DivergenceError(
    `training: expected finite numbers, got loss ${loss} and ${where} at step ${step} (epoch ${epoch}, learning rate ${Number(learningRate.toPrecision(3))}); try a lower --learning-rate or --clip-norm`,
  );
}
