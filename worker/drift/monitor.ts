/** What counts answers, as the app knows it: who does not monitor bundles nothing but these types. */
import type { Model } from '../models.ts';
import type { Env } from '../options.ts';
import type { Tensor } from '../protocol/datatypes.ts';

/** The option `monitor`, which `bn-edge/worker/drift` has. */
export interface Monitor {
  /**
   * @param later goes on with work when the answer is on its way, as `ctx.waitUntil` does
   * @returns what is to be told of each run; never throws, and keeps nothing of the feeds that it is given
   */
  readonly watch: (model: Model, env: Env | undefined, later: (work: Promise<unknown>) => void) => Seen;
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
