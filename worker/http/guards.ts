/** Who may ask, how often, and from where. Each guard is configured in env.ts. */
import type { MiddlewareHandler } from 'hono';
import { bearerAuth } from 'hono/bearer-auth';
import { cors } from 'hono/cors';
import { createMiddleware } from 'hono/factory';
import { HEADER } from '../protocol/binary.ts';
import type { Env } from './env.ts';
import { RequestError } from './errors.ts';

type Guard = MiddlewareHandler<{ Bindings: Env }>;

/** Counts where a limiter is bound, asks for the key where one is configured. Wrong keys count: guessing is limited, too. */
export const admit: Guard = createMiddleware<{ Bindings: Env }>(async (c, next) => {
  const { API_KEY, RATE_LIMITER } = c.env;
  if (RATE_LIMITER) await limitRate(RATE_LIMITER, c.req.header('cf-connecting-ip'));
  return API_KEY ? requireKey(API_KEY)(c, next) : next();
});

async function limitRate(limiter: RateLimit, address = 'unknown'): Promise<void> {
  const { success } = await limiter.limit({ key: address });
  if (!success) throw new RequestError('too many requests', 'rate: expected fewer requests, got too many');
}

/** `Authorization: Bearer <key>`, compared in constant time. */
function requireKey(token: string): Guard {
  const message = { error: 'authorization: expected "Bearer" and the API key, got none or another' };
  return bearerAuth<{ Bindings: Env }>({
    token,
    noAuthenticationHeader: { message },
    invalidAuthenticationHeader: { message },
    invalidToken: { message },
  });
}

export const allowOrigins: Guard = createMiddleware<{ Bindings: Env }>((c, next) => {
  const origins = c.env.CORS_ORIGINS.split(',').map((origin) => origin.trim());
  if (origins.join('') === '') return next();
  return cors({
    origin: origins.includes('*') ? '*' : origins,
    allowHeaders: ['authorization', 'content-type', HEADER],
    exposeHeaders: [HEADER, 'etag'],
    maxAge: 86_400,
  })(c, next);
});
