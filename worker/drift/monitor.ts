/**
 * Types of the monitor that the app calls. The app imports nothing else of it, so that a Worker without monitoring does
 * not bundle it.
 */
import type { Model } from '../models.ts';
import type { Env } from '../options.ts';
import type { Tensor } from '../protocol/datatypes.ts';
import type { DriftResponse } from '../protocol/responses.ts';

/** The value of the option `monitor`, which `bn-edge/worker/drift` exports. */
export interface Monitor {
  /**
   * @param later keeps work running after the answer is sent, as `ctx.waitUntil` does
   * @returns the function that counts each run; it never throws, and keeps no reference to the feeds it is given
   */
  readonly watch: (model: Model, env: Env | undefined, later: (work: Promise<unknown>) => void) => CountRun;
  /**
   * Reports how far the requests to a model are from what it was trained on.
   * @throws RequestError when no Durable Object keeps the counts; ServerError when they cannot be read
   */
  readonly report: (model: Model, env: Env | undefined, query: DriftQuery) => Promise<DriftResponse>;
  /** Reports the same of several models in Prometheus's format; a model whose windows cannot be read is left out. */
  readonly metrics: (models: readonly Model[], env: Env | undefined) => Promise<string>;
}

export interface DriftQuery {
  /** The number of hours to look back, the current one included. */
  readonly hours: number;
  /** The length of a window, in hours. */
  readonly window: number;
}

/**
 * Counts one run of a model.
 * @param unknown categories that no column has and that were taken as missing
 */
export type CountRun = (feeds: ReadonlyMap<string, Tensor>, unknown?: readonly UnknownCategory[]) => void;

export interface UnknownCategory {
  /** The index of the row, from 0. */
  readonly row: number;
  readonly column: string;
}

/** The binding `DRIFT`, as far as it is used: https://developers.cloudflare.com/durable-objects/api/namespace/ */
export interface DriftNamespace {
  idFromName(name: string): unknown;
  get(id: never): unknown;
}
