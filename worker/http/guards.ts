/** Guards the routes: who may ask, how often, and from where; see options.ts. */
import { cors } from 'hono/cors';
import { timingSafeEqual } from 'hono/utils/buffer';
import type { Env, RateLimiter } from '../options.ts';
import { HEADER } from '../protocol/binary.ts';
import type { Middleware } from './context.ts';
import { RequestError } from '../errors.ts';
import type { Settings } from './settings.ts';

/**
 * Counts the request where a rate limiter is bound, then requires the key where one is configured. Requests with wrong
 * keys count, too, which limits guessing.
 */
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

/** Matches the scheme in any case: https://www.rfc-editor.org/rfc/rfc7235#section-2.1 */
const bearer = /^bearer +([^\s]+) *$/i;

/** Compares the key of `Authorization: Bearer <key>` with every configured key in constant time. */
function requireKey(known: readonly string[]): Middleware {
  return async function keyed(c, next) {
    const [, sent] = bearer.exec(c.req.header('authorization') ?? '') ?? [];
    if (sent !== undefined && (await isAmong(sent, known))) return next();
    throw new RequestError('unauthorized', 'authorization: expected "Bearer" and the API key, got none or another');
  };
}

/** Compares with all keys, so that the time does not reveal which one is equal. */
async function isAmong(sent: string, known: readonly string[]): Promise<boolean> {
  const equal = await Promise.all(known.map((key) => timingSafeEqual(key, sent)));
  return equal.includes(true);
}

/** Lets pages of the configured origins read the answers, if any are configured. */
export function allowOrigins({ origins }: Settings): Middleware {
  return function allowed(c, next) {
    const list = origins(c.env);
    if (list.length === 0) return next();
    return cors({
      origin: list.includes('*') ? '*' : [...list],
      allowHeaders: ['authorization', 'content-type', HEADER],
      exposeHeaders: [HEADER, 'etag'],
      maxAge: 86_400,
    })(c, next);
  };
}
