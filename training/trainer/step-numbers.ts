/** Computes the numbers that a step takes from the host, in float64. */
import { rateFactor } from '../optimizer/index.ts';
import type { TrainingConfig } from './config.ts';
import type { StepOptions } from './step.ts';
import { stepScalars } from './update-inputs.ts';

export interface NumbersOfStep {
  /** Counts from 1. */
  readonly epoch: number;
  readonly learningRate: number;
  /** The inputs of the step's graph. Their names do not depend on the step. */
  readonly scalars: Readonly<Record<string, number>>;
}

export interface StepNumbers {
  /** Returns the numbers of the step after `done` others. */
  readonly at: (done: number) => NumbersOfStep;
  /** From now on, keeps the schedule from lagging behind this share after `done` steps. */
  readonly useClock: (share: (done: number) => number) => void;
}

export function stepNumbers(config: TrainingConfig, options: StepOptions, stepsPerEpoch: number): StepNumbers {
  const { schedule, warmUp, epochs, steps = epochs * stepsPerEpoch } = config;
  let clock = (_done: number): number => 0;
  return {
    at: (done) => {
      const share = Math.max(done / steps, Math.min(clock(done), 1));
      const learningRate = config.learningRate * rateFactor(schedule, share, warmUp);
      const scalars = stepScalars(options, done + 1, learningRate);
      return { epoch: Math.floor(done / stepsPerEpoch) + 1, learningRate, scalars };
    },
    useClock: (share) => {
      clock = share;
    },
  };
}
