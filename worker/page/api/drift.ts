/** Reads how far the requests to a model are from what it was trained on. */
import { type Model, pathOf } from './model.ts';
import { read } from './request.ts';

/** Is null when there are too few samples for a verdict, or nothing to compare. */
type Verdict = boolean | null;

export interface DriftedChannel {
  readonly channel: number;
  /** A score from 1 upwards is drift. */
  readonly score: number | null;
  readonly mean_shift: number | null;
  readonly mean_threshold: number | null;
  readonly log_variance_ratio: number | null;
  readonly variance_threshold: number | null;
}

export interface DriftedLayer {
  readonly name: string;
  readonly channels: number;
  readonly drifted_channels: number;
  readonly worst: readonly DriftedChannel[];
}

export interface DriftedColumn {
  readonly name: string;
  readonly score: number | null;
  readonly stability_index: number | null;
  readonly missing: number;
  readonly out_of_range: number;
}

export interface DriftedClasses {
  readonly drifted?: Verdict;
  readonly distance?: number | null;
  readonly threshold?: number | null;
  readonly shares: readonly { readonly label: string; readonly share: number; readonly expected?: number }[];
}

export interface TrendWindow {
  /** Milliseconds since 1970. */
  readonly start: number;
  readonly samples: number;
  readonly drifted: Verdict;
  readonly score: number | null;
}

export interface Drift {
  readonly drifted: Verdict;
  readonly least_samples: number;
  readonly window:
    | (TrendWindow & {
        readonly hours: number;
        readonly layers: readonly DriftedLayer[];
        readonly columns: readonly DriftedColumn[];
        readonly classes?: DriftedClasses;
      })
    | null;
  readonly trend: readonly TrendWindow[];
}

/** @throws KeyRequired; Error with the Worker's message */
export const readDrift = async (model: Model): Promise<Drift> => (await read(`${pathOf('v2', model)}/drift`)) as Drift;
