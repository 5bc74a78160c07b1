/** Describes what the Worker sees inside the Batch Norm layers of a model, for one sample among others. */
import type { Answer, RowPrediction } from './answer.ts';

export const BINS = 28;

/**
 * `running` statistics come from the training set and are fixed; `batch` statistics come from the samples that share
 * the request.
 */
export type Statistics = 'running' | 'batch';

/** Holds a number for each channel; null stands for one that is not finite, which JSON does not have. */
export type Channelwise = readonly (number | null)[];

/** Summarizes the values of one sample in every channel. */
export interface Values {
  readonly mean: Channelwise;
  readonly minimum: Channelwise;
  readonly maximum: Channelwise;
  /** `[channel][bin]` counts values in bins of equal width from `minimum` to `maximum`. */
  readonly counts: readonly (readonly number[])[];
}

/** Describes one sample on its way through a Batch Norm layer. */
export interface Passage {
  /** `mean` is μ and `variance` σ², by which every channel is normalized. */
  readonly mean: Channelwise;
  readonly variance: Channelwise;
  readonly z: Values;
  readonly z_tilde: Values;
}

export interface Layer extends Readonly<Record<Statistics, Passage>> {
  readonly name: string;
  readonly channels: number;
  /** The shape of one sample: `[channels]` or `[channels, rows, columns]`. */
  readonly shape: readonly number[];
  readonly epsilon: number;
  readonly gamma: Channelwise;
  readonly beta: Channelwise;
}

export interface Explanation {
  readonly batch_size: number;
  /** Absent when the model's card does not say what its output is. */
  readonly answers?: Readonly<Record<Statistics, RowPrediction>>;
  readonly layers: readonly Layer[];
}

/** Holds `answers` as the page reads them. */
export type BothAnswers = Readonly<Record<Statistics, Answer>>;

/** Shortens a layer's name: `bn1/BatchNormalization` to bn1. */
export const nameOf = ({ name }: Pick<Layer, 'name'>): string => name.replace(/\/.*/, '');
