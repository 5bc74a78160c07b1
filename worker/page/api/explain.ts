/** What the Worker sees inside the Batch Norm layers of a model, for one sample among others. */
import type { Answer, RowPrediction } from './answer.ts';

export const BINS = 28;

/** `running`: of the training set, fixed. `batch`: of the samples that share the request. */
export type Statistics = 'running' | 'batch';

/** The values of one sample in every channel. */
export interface Values {
  readonly mean: readonly number[];
  readonly minimum: readonly number[];
  readonly maximum: readonly number[];
  /** `[channel][bin]`: bins of equal width from `minimum` to `maximum`. */
  readonly counts: readonly (readonly number[])[];
}

/** One sample on its way through a Batch Norm layer. */
export interface Passage {
  /** μ and σ², by which every channel is normalized. */
  readonly mean: readonly number[];
  readonly variance: readonly number[];
  readonly z: Values;
  readonly z_tilde: Values;
}

export interface Layer extends Readonly<Record<Statistics, Passage>> {
  readonly name: string;
  readonly channels: number;
  /** Of one sample: `[channels]` or `[channels, rows, columns]`. */
  readonly shape: readonly number[];
  readonly epsilon: number;
  readonly gamma: readonly number[];
  readonly beta: readonly number[];
}

export interface Explanation {
  readonly batch_size: number;
  /** Absent of a model that does not say what its output is. */
  readonly answers?: Readonly<Record<Statistics, RowPrediction>>;
  readonly layers: readonly Layer[];
}

/** As the page reads `answers`. */
export type BothAnswers = Readonly<Record<Statistics, Answer>>;

/** `bn1/BatchNormalization` is called bn1. */
export const nameOf = ({ name }: Pick<Layer, 'name'>): string => name.replace(/\/.*/, '');
