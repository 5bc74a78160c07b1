/** Who may ask, how often, and what a browser may do with the answer. Each guard is configured in env.ts. */
import type { Context, MiddlewareHandler } from 'hono';
import { bearerAuth } from 'hono/bearer-auth';
import { cors } from 'hono/cors';
import { etag } from 'hono/etag';
import { createMiddleware } from 'hono/factory';
import { secureHeaders } from 'hono/secure-headers';
import { HEADER } from './binary.ts';
import type { Env } from './env.ts';
import { RequestError } from './errors.ts';

type Guard = MiddlewareHandler<{ Bindings: Env }>;

/** `Authorization: Bearer <key>`, compared in constant time, where a key is configured. */
export const requireKey: Guard = createMiddleware<{ Bindings: Env }>((c, next) => {
  const { API_KEY: token } = c.env;
  if (!token) return next();
  const error = { error: 'authorization: expected "Bearer" and the API key, got none or another' };
  return bearerAuth<{ Bindings: Env }>({
    token,
    noAuthenticationHeader: { message: error },
    invalidAuthenticationHeader: { message: error },
    invalidToken: { message: error },
  })(c, next);
});

/** Counts by client address, where a limiter is bound. */
export const limitRate: Guard = createMiddleware<{ Bindings: Env }>(async (c, next) => {
  const key = c.req.header('cf-connecting-ip') ?? 'unknown';
  const allowed = await c.env.RATE_LIMITER?.limit({ key });
  if (allowed?.success === false)
    throw new RequestError('too many requests', 'rate: expected fewer requests, got too many');
  await next();
});

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

/** Nothing may run or load: answers are data, and the reference is a page with one stylesheet of its own. */
export const protectBrowsers: Guard = secureHeaders({
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    styleSrc: ["'self'"],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  },
  crossOriginResourcePolicy: 'cross-origin',
  referrerPolicy: 'no-referrer',
  xFrameOptions: 'DENY',
});

/** What describes a model changes with a deployment only; what it answers is never stored. */
export const cacheMetadata: Guard = createMiddleware<{ Bindings: Env }>(async (c, next) => {
  await next();
  c.res.headers.set(
    'cache-control',
    isMetadata(c) ? `${c.env.API_KEY ? 'private' : 'public'}, max-age=60` : 'no-store',
  );
});

function isMetadata(c: Context): boolean {
  return c.req.method === 'GET' && c.res.ok && !c.req.path.startsWith('/v2/health');
}

const tag = etag();

/** An ETag for what is read again and again. Hashing an answer to a POST would cost more than many an inference, and serve nobody. */
export const tagReads: Guard = createMiddleware<{ Bindings: Env }>((c, next) =>
  c.req.method === 'GET' ? tag(c, next) : next(),
);
