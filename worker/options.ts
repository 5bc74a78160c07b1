/**
 * How a Worker is configured: by options in its code, and by the variables, secrets and bindings of its deployment, which win
 * where both speak. Everything is optional. How the values are read is settings.ts's business.
 */

import type { DriftNamespace, Monitor } from './drift/monitor.ts';

/** What `createWorker` and `createApp` take beside the image. Each option names the variable that overrides it. */
export interface WorkerOptions {
  /**
   * Answers what is inside a model: `…/explain`, `…/batchnorm` and `statistics: "batch"`; and why a row gets its answer. `…/explain`
   * and the statistics also need the model's twin, which is deployed where its card says `"explain": true`; without it the option
   * costs nothing.
   * Variable: `EXPLAIN`.
   * @default true
   */
  readonly explain?: boolean;
  /**
   * Shows the page on which people ask every model, at `/`, instead of a list of the models as JSON. Its files
   * are static assets: `[assets] directory = "node_modules/bn-edge/dist/page"` in wrangler.toml.
   * Variable: `PAGE`.
   * @default false
   */
  readonly page?: boolean;
  /**
   * Answers the reference: `/docs` for people, `/openapi.json` for machines.
   * Variable: `DOCS`.
   * @default false
   */
  readonly docs?: boolean;
  /**
   * Answers `/metrics`, the drift of monitored models as Prometheus scrapes it.
   * Variable: `METRICS`.
   * @default false
   */
  readonly metrics?: boolean;
  /**
   * The origins whose pages may call from a browser, as in `https://app.example`: one, or several as a list or separated by
   * commas; `*` is any. Pages of the Worker's own origin always may.
   * Variable: `CORS_ORIGINS`.
   * @default none
   */
  readonly cors?: string | readonly string[];
  /**
   * The key that models ask for, as `Authorization: Bearer <key>`; of several, any will do, so that one can be replaced. It
   * belongs into a secret rather than into code: `wrangler secret put API_KEY`.
   * Variable: `API_KEY`; several as a JSON list.
   * @default none: everyone may ask
   */
  readonly apiKey?: string | readonly string[];
  /**
   * Writes one line of JSON per request to the log, without query string, headers or body.
   * Variable: `LOG_REQUESTS`.
   * @default true
   */
  readonly log?: boolean;
  /**
   * Counts what answers of models have in common whose card says `"monitor": true`: `import { monitor } from 'bn-edge/worker/drift'`.
   * It needs the binding `DRIFT`; without either, the models answer all the same.
   * @default none
   */
  readonly monitor?: Monitor;
  /** What is refused with status 413. */
  readonly limits?: {
    /**
     * The largest body of a request, in bytes.
     * Variable: `MAX_BODY_BYTES`.
     * @default 8388608 (8 MiB)
     */
    readonly bodyBytes?: number;
    /**
     * The largest first dimension of a tensor, where the model leaves it open.
     * Variable: `MAX_BATCH`.
     * @default 256
     */
    readonly batch?: number;
  };
}

/**
 * What a Worker reads of its environment: `[vars]` in wrangler.toml, secrets, and bindings. A variable is text or JSON, and one
 * that is an empty text counts as not set.
 */
export interface Env {
  /** Overrides the option `explain`. */
  readonly EXPLAIN?: boolean | string;
  /** Overrides the option `page`. */
  readonly PAGE?: boolean | string;
  /** Overrides the option `docs`. */
  readonly DOCS?: boolean | string;
  /** Overrides the option `metrics`. */
  readonly METRICS?: boolean | string;
  /**
   * An address that is told by POST when a monitored model begins or ceases to drift. It may hold a token, and belongs into a
   * secret then: `wrangler secret put DRIFT_WEBHOOK`.
   */
  readonly DRIFT_WEBHOOK?: string;
  /** Overrides the option `cors`. */
  readonly CORS_ORIGINS?: string | readonly string[];
  /** Overrides the option `apiKey`. */
  readonly API_KEY?: string | readonly string[];
  /** Overrides the option `log`. */
  readonly LOG_REQUESTS?: boolean | string;
  /** Overrides the option `limits.bodyBytes`. */
  readonly MAX_BODY_BYTES?: number | string;
  /** Overrides the option `limits.batch`. */
  readonly MAX_BATCH?: number | string;
  /** The Durable Objects of the class `DriftMonitor`, which keep what monitored models were asked. */
  readonly DRIFT?: DriftNamespace;
  /** A rate limiting binding; what it counts and allows is configured with it. */
  readonly RATE_LIMITER?: RateLimiter;
  /** The static assets, where wrangler.toml binds them (`[assets] binding = "ASSETS"`): weights of models, and the files of the page. */
  readonly ASSETS?: Assets;
}

/** https://developers.cloudflare.com/workers/runtime-apis/bindings/rate-limit/ */
export interface RateLimiter {
  limit(options: { readonly key: string }): Promise<{ readonly success: boolean }>;
}

/** https://developers.cloudflare.com/workers/static-assets/binding/ */
export interface Assets {
  fetch(request: Request): Promise<Response>;
}
