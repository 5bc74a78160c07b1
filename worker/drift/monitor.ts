/** What counts answers, as the app knows it: who does not monitor bundles nothing but these types. */
import type { Model } from '../models.ts';
import type { Env } from '../options.ts';
import type { Tensor } from '../protocol/datatypes.ts';
import type { DriftResponse } from '../protocol/responses.ts';

/** The option `monitor`, which `bn-edge/worker/drift` has. */
export interface Monitor {
  /**
   * @param later goes on with work when the answer is on its way, as `ctx.waitUntil` does
   * @returns what is to be told of each run; never throws, and keeps nothing of the feeds that it is given
   */
  readonly watch: (model: Model, env: Env | undefined, later: (work: Promise<unknown>) => void) => Seen;
  /**
   * How far what a model was asked is from what it was trained on.
   * @throws RequestError where nothing keeps what was counted; ServerError where it cannot be read
   */
  readonly report: (model: Model, env: Env | undefined, query: DriftQuery) => Promise<DriftResponse>;
  /** The same of several models for Prometheus; of one whose windows cannot be read there is nothing in it. */
  readonly metrics: (models: readonly Model[], env: Env | undefined) => Promise<string>;
}

export interface DriftQuery {
  /** How many hours back, this one included. */
  readonly hours: number;
  /** How many hours are one window. */
  readonly window: number;
}

/** @param unknown categories that no column has and that counted as missing */
export type Seen = (feeds: ReadonlyMap<string, Tensor>, unknown?: readonly UnknownCategory[]) => void;

export interface UnknownCategory {
  /** From 0. */
  readonly row: number;
  readonly column: string;
}

/** The binding `DRIFT`: https://developers.cloudflare.com/durable-objects/api/namespace/ */
export interface DriftNamespace {
  idFromName(name: string): unknown;
  get(id: never): unknown;
}
