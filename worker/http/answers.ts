/** What a browser may do with an answer: nothing may run or load, and what a model answers is never stored. */
import type { Context } from 'hono';

/** Answers are data, and the reference is a page with one stylesheet of its own. */
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
const asIs = new Headers(ofJson);
asIs.set('cache-control', 'no-store, no-transform');

/** What a model answers. Its headers are copied from prepared ones, which is cheaper than setting each. */
export function answerJson(value: object): Response {
  return new Response(JSON.stringify(value), { headers: ofJson });
}

/** The same for paths that clients of Triton ask: see `isAsIs`. */
export function answerJsonAsIs(value: object): Response {
  return new Response(JSON.stringify(value), { headers: asIs });
}

export function answerBytes(bytes: Uint8Array<ArrayBuffer> | string, more: Readonly<Record<string, string>>): Response {
  const headers = new Headers(ofData);
  for (const [name, value] of Object.entries(more)) headers.set(name, value);
  return new Response(bytes, { headers });
}

/**
 * Whether the platform must not compress what it answers: Triton's asynchronous client for Python says that it takes compressed answers, and
 * reads none. https://developers.cloudflare.com/speed/optimization/content/compression/
 * @param path below the mount
 */
const isAsIs = (path: string): boolean => path.startsWith('/v2') && !/\/(classify|explain|batchnorm|drift)$/.test(path);

/** What is another the next time, without a deployment. @param path below the mount */
const isOfNow = (path: string): boolean => path.startsWith('/v2/health') || /\/(stats|drift|metrics)$/.test(path);

/**
 * For all other answers. What describes a model changes with a deployment only.
 * @param path below the mount
 * @param isPrivate where a key is asked for
 */
export function protectBrowsers({ req, res }: Context, path: string, isPrivate: boolean): void {
  const { headers, status } = res;
  if (headers.has('x-content-type-options')) return;
  const isRead = req.method === 'GET' || req.method === 'HEAD';
  const isMetadata = isRead && status < 400 && !isOfNow(path);
  for (const [name, value] of Object.entries(protection)) headers.set(name, value);
  const kept = isMetadata ? `${isPrivate ? 'private' : 'public'}, max-age=60` : 'no-store';
  headers.set('cache-control', isAsIs(path) ? `${kept}, no-transform` : kept);
}
