/** The Worker's configuration: `[vars]` in wrangler.toml, which a deployment may override with text. */
export interface Env {
  readonly MAX_BODY_BYTES: number | string;
  readonly MAX_BATCH: number | string;
}

export interface Limits {
  readonly bodyBytes: number;
  /** The largest first dimension of a tensor, where the model leaves it open. */
  readonly batch: number;
}

export function limitsOf(env: Env): Limits {
  return { bodyBytes: positive('MAX_BODY_BYTES', env), batch: positive('MAX_BATCH', env) };
}

function positive(name: keyof Env, env: Env): number {
  const value = Number(env[name]);
  if (Number.isInteger(value) && value > 0) return value;
  throw new Error(`${name}: expected a positive integer, got ${env[name]}`);
}
