/**
 * Describes how a Worker is configured: by options in its code, and by the variables, secrets and bindings of its
 * deployment, which win where both are given. Everything is optional. settings.ts reads the values.
 */

import type { DriftNamespace, Monitor } from './drift/monitor.ts';

/** Options of `createWorker` and `createApp`. Each names the variable that overrides it. */
export interface WorkerOptions {
  /**
   * Answers what happens inside a model, at `…/explain`, `…/batchnorm` and with `statistics: "batch"`, and why a row
   * gets its answer. `…/explain` and the statistics also need the model's twin, which is deployed when its card says
   * `"explain": true`; without it the option costs nothing.
   * Variable: `EXPLAIN`.
   * @default true
   */
  readonly explain?: boolean;
  /**
   * Shows the page on which people try every model, at `/`, instead of a list of the models as JSON. Its files are
   * static assets: `[assets] directory = "node_modules/bn-edge/dist/page"` in wrangler.toml.
   * Variable: `PAGE`.
   * @default false
   */
  readonly page?: boolean;
  /**
   * Serves the reference: `/docs` for people, `/openapi.json` for machines.
   * Variable: `DOCS`.
   * @default false
   */
  readonly docs?: boolean;
  /**
   * Serves `/metrics`: the drift of monitored models in Prometheus's format.
   * Variable: `METRICS`.
   * @default false
   */
  readonly metrics?: boolean;
  /**
   * The origins whose pages may call the Worker from a browser, such as `https://app.example`: one, or several as a
   * list or separated by commas; `*` is any. Pages of the Worker's own origin always may.
   * Variable: `CORS_ORIGINS`.
   * @default none
   */
  readonly cors?: string | readonly string[];
  /**
   * The key that requests to models need, as `Authorization: Bearer <key>`. Of several, any is accepted, so that one
   * can be replaced. A key belongs in a secret rather than in code: `wrangler secret put API_KEY`.
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
   * Counts what requests to models with `"monitor": true` in their cards have in common: `import { monitor } from
   * 'bn-edge/worker/drift'`. It needs the binding `DRIFT`; without either, the models answer all the same.
   * @default none
   */
  readonly monitor?: Monitor;
  /** Limits beyond which a request is refused with status 413. */
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
 * The environment that a Worker reads: `[vars]` in wrangler.toml, secrets, and bindings. A variable is text or JSON; an
 * empty text counts as not set.
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
   * The address that gets a POST when a monitored model begins or ceases to drift. If it holds a token, it belongs in a
   * secret: `wrangler secret put DRIFT_WEBHOOK`.
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
  /** The Durable Objects of the class `DriftMonitor`, which keep the counts of monitored models. */
  readonly DRIFT?: DriftNamespace;
  /** A rate limiting binding; its limits are configured with it. */
  readonly RATE_LIMITER?: RateLimiter;
  /**
   * The static assets, when wrangler.toml binds them (`[assets] binding = "ASSETS"`): weights of models, and the files
   * of the page.
   */
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
