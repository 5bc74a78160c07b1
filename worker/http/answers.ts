/**
 * Sets the headers that limit what a browser may do with an answer: nothing may run or load, and what a model answers
 * is never stored.
 */
import type { Context } from 'hono';

/** Protects answers, which are data, and the reference, which is a page with one style sheet of its own. */
const protection = {
  'content-security-policy':
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'cross-origin',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=15552000',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

const ofData = new Headers({ ...protection, 'cache-control': 'no-store' });
const ofJson = new Headers(ofData);
ofJson.set('content-type', 'application/json');
const ofUntransformedJson = new Headers(ofJson);
ofUntransformedJson.set('cache-control', 'no-store, no-transform');

/** Answers with what a model returned. Prepared headers are copied, which is cheaper than setting each. */
export function answerJson(value: object): Response {
  return new Response(JSON.stringify(value), { headers: ofJson });
}

/** Answers likewise at paths that Triton's clients request: see `mustNotTransform`. */
export function answerUntransformedJson(value: object): Response {
  return new Response(JSON.stringify(value), { headers: ofUntransformedJson });
}

export function answerBytes(bytes: Uint8Array<ArrayBuffer> | string, more: Readonly<Record<string, string>>): Response {
  const headers = new Headers(ofData);
  for (const [name, value] of Object.entries(more)) headers.set(name, value);
  return new Response(bytes, { headers });
}

/**
 * Is true when the platform must not compress the answer: Triton's asynchronous Python client announces that it accepts
 * compressed answers, but cannot read them. https://developers.cloudflare.com/speed/optimization/content/compression/
 * @param path below the mount
 */
const mustNotTransform = (path: string): boolean =>
  path.startsWith('/v2') && !/\/(classify|explain|batchnorm|drift)$/.test(path);

/**
 * Is true when the answer may change without a deployment.
 * @param path below the mount
 */
const isVolatile = (path: string): boolean => path.startsWith('/v2/health') || /\/(stats|drift|metrics)$/.test(path);

/**
 * Sets the headers of all other answers. Descriptions of models change only with a deployment, so they may be cached
 * for a minute.
 * @param path below the mount
 * @param isPrivate whether a key is required
 */
export function protectBrowsers({ req, res }: Context, path: string, isPrivate: boolean): void {
  const { headers, status } = res;
  if (headers.has('x-content-type-options')) return;
  const isRead = req.method === 'GET' || req.method === 'HEAD';
  const isMetadata = isRead && status < 400 && !isVolatile(path);
  for (const [name, value] of Object.entries(protection)) headers.set(name, value);
  const storage = isMetadata ? `${isPrivate ? 'private' : 'public'}, max-age=60` : 'no-store';
  headers.set('cache-control', mustNotTransform(path) ? `${storage}, no-transform` : storage);
}
