/** The Worker's configuration: `[vars]` in wrangler.toml, secrets and bindings. Variables may be overridden with text. */
export interface Env {
  readonly MAX_BODY_BYTES: number | string;
  readonly MAX_BATCH: number | string;
  /** Origins that may call from a browser, separated by commas; `*` is any, empty is none but the Worker's own. */
  readonly CORS_ORIGINS: string;
  /** One line of JSON per request in the logs. */
  readonly LOG_REQUESTS: boolean | string;
  /** A secret (`wrangler secret put API_KEY`). Where it is set, models answer only to those who know it. */
  readonly API_KEY?: string;
  /** A rate limiting binding; what it counts and allows is configured with it. */
  readonly RATE_LIMITER?: RateLimit;
}

export interface Limits {
  readonly bodyBytes: number;
  /** The largest first dimension of a tensor, where the model leaves it open. */
  readonly batch: number;
}

export function limitsOf(env: Env): Limits {
  return { bodyBytes: positive('MAX_BODY_BYTES', env), batch: positive('MAX_BATCH', env) };
}

function positive(name: 'MAX_BODY_BYTES' | 'MAX_BATCH', env: Env): number {
  const value = Number(env[name]);
  if (Number.isInteger(value) && value > 0) return value;
  throw new Error(`${name}: expected a positive integer, got ${env[name]}`);
}
