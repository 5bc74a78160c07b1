/** Who may ask, how often, and from where; see options.ts. */
import { bearerAuth } from 'hono/bearer-auth';
import { cors } from 'hono/cors';
import type { Env, RateLimiter } from '../options.ts';
import { HEADER } from '../protocol/binary.ts';
import type { Middleware } from './context.ts';
import { RequestError } from './errors.ts';
import type { Settings } from './settings.ts';

/** Counts where a limiter is bound, asks for the key where one is configured. Wrong keys count: guessing is limited, too. */
export function admission({ keys }: Settings): Middleware {
  return async function admit(c, next) {
    const limiter = (c.env as Env | undefined)?.RATE_LIMITER;
    if (limiter) await limitRate(limiter, c.req.header('cf-connecting-ip'));
    const known = keys(c.env);
    return known.length > 0 ? requireKey(known)(c, next) : next();
  };
}

async function limitRate(limiter: RateLimiter, address = 'unknown'): Promise<void> {
  const { success } = await limiter.limit({ key: address });
  if (!success) throw new RequestError('too many requests', 'rate: expected fewer requests, got too many');
}

/** `Authorization: Bearer <key>`, compared in constant time. */
function requireKey(known: readonly string[]): Middleware {
  const message = { error: 'authorization: expected "Bearer" and the API key, got none or another' };
  return bearerAuth<{ Bindings: Env }>({
    token: [...known],
    noAuthenticationHeader: { message },
    invalidAuthenticationHeader: { message },
    invalidToken: { message },
  });
}

export function otherOrigins({ origins }: Settings): Middleware {
  return function allowOrigins(c, next) {
    const allowed = origins(c.env);
    if (allowed.length === 0) return next();
    return cors({
      origin: allowed.includes('*') ? '*' : [...allowed],
      allowHeaders: ['authorization', 'content-type', HEADER],
      exposeHeaders: [HEADER, 'etag'],
      maxAge: 86_400,
    })(c, next);
  };
}
