import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Env } from '../../worker/options.ts';
import worker from '../../worker/index.ts';
import { pixels } from './client.ts';

const infer = '/v2/models/digits/infer';
const KEY = 'correct-horse-battery-staple';

/** Calls the Worker with a changed configuration. */
async function callWith(change: Partial<Env>, path: string, init: RequestInit = {}): Promise<Response> {
  const context = createExecutionContext();
  const response = await worker.fetch(
    new Request(`http://worker${path}`, init),
    { ...(env as Env), ...change },
    context,
  );
  await waitOnExecutionContext(context);
  return response;
}

function inference(headers: Record<string, string> = {}): RequestInit {
  const body = JSON.stringify({ inputs: [pixels(1)] });
  return { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } };
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('the API key', () => {
  const refused = { error: 'authorization: expected "Bearer" and the API key, got none or another' };

  it.each([
    ['no header', {}, 401],
    ['another key', { authorization: 'Bearer wrong' }, 401],
    ['a longer key', { authorization: `Bearer ${KEY}x` }, 401],
    ['another scheme', { authorization: `Basic ${KEY}` }, 401],
    ['a scheme without key', { authorization: 'Bearer' }, 401],
    ['a key without scheme', { authorization: KEY }, 401],
    ['two keys', { authorization: `Bearer ${KEY} ${KEY}` }, 401],
  ])('refuses %s', async (_, headers, status) => {
    const response = await callWith({ API_KEY: KEY }, infer, inference(headers));
    expect([response.status, await response.json()]).toEqual([status, refused]);
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="models"');
  });

  it('lets the key in', async () => {
    expect((await callWith({ API_KEY: KEY }, infer, inference({ authorization: `Bearer ${KEY}` }))).status).toBe(200);
  });

  it.each(['bearer', 'BEARER'])('takes the scheme as %s', async (scheme) => {
    expect((await callWith({ API_KEY: KEY }, infer, inference({ authorization: `${scheme} ${KEY}` }))).status).toBe(
      200,
    );
  });

  it('lets any of several in, and no other', async () => {
    const API_KEY = JSON.stringify([KEY, 'the-next']);
    const statuses = [KEY, 'the-next', 'the-next-but-one', `["${KEY}"`].map(
      async (key) => (await callWith({ API_KEY }, infer, inference({ authorization: `Bearer ${key}` }))).status,
    );
    expect(await Promise.all(statuses)).toEqual([200, 200, 401, 401]);
  });

  it.each(['/v2', '/v2/health/live', '/v2/health/ready'])('leaves %s open', async (path) => {
    expect((await callWith({ API_KEY: KEY }, path)).status).toBe(200);
  });

  it.each([
    '/v2/models',
    '/v2/models/digits',
    '/v2/models/digits/batchnorm',
    '/v2/repository/index',
    '/openapi.json',
    '/docs',
  ])('guards %s', async (path) => {
    expect((await callWith({ API_KEY: KEY }, path)).status).toBe(401);
  });

  it('asks for none where none is configured', async () => {
    expect((await callWith({}, infer, inference())).status).toBe(200);
  });
});

describe('the rate limit', () => {
  it('counts by address and refuses what the limiter refuses', async () => {
    const keys: string[] = [];
    const RATE_LIMITER: RateLimit = {
      limit: ({ key }) => {
        keys.push(key);
        return Promise.resolve({ success: keys.length < 2 });
      },
    };
    const call = () => callWith({ RATE_LIMITER }, infer, inference({ 'cf-connecting-ip': '192.0.2.1' }));
    expect((await call()).status).toBe(200);
    const second = await call();
    expect([second.status, await second.json()]).toEqual([
      429,
      { error: 'rate: expected fewer requests, got too many' },
    ]);
    expect(keys).toEqual(['192.0.2.1', '192.0.2.1']);
  });
});

describe('other origins', () => {
  const origin = 'https://app.example';
  const preflight = { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST' } };

  it('are not let in by default', async () => {
    const response = await callWith({}, infer, inference({ origin }));
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
  });

  it.each(['*', `https://other.example, ${origin}`])('are let in by %s', async (CORS_ORIGINS) => {
    const allowed = CORS_ORIGINS === '*' ? '*' : origin;
    const before = await callWith({ CORS_ORIGINS }, infer, preflight);
    expect([before.status, before.headers.get('access-control-allow-origin')]).toEqual([204, allowed]);
    const response = await callWith({ CORS_ORIGINS }, infer, inference({ origin }));
    expect(response.headers.get('access-control-allow-origin')).toBe(allowed);
    expect(response.headers.get('access-control-expose-headers')).toContain('inference-header-content-length');
  });

  it('are let in only where listed', async () => {
    const response = await callWith({ CORS_ORIGINS: 'https://other.example' }, infer, inference({ origin }));
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('headers', () => {
  it('let a browser run and load nothing', async () => {
    const { headers } = await callWith({}, '/docs');
    expect(headers.get('content-security-policy')).toBe(
      "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('promise HTTPS for this host, and nothing for those below it', async () => {
    const { headers } = await callWith({}, '/v2');
    expect(headers.get('strict-transport-security')).toBe('max-age=15552000');
  });

  it('let metadata be kept and asked for again', async () => {
    const first = await callWith({}, '/v2/models/digits/batchnorm');
    expect(first.headers.get('cache-control')).toBe('public, max-age=60');
    const again = await callWith({}, '/v2/models/digits/batchnorm', {
      headers: { 'if-none-match': first.headers.get('etag') ?? '' },
    });
    expect([again.status, await again.text()]).toEqual([304, '']);
    expect(again.headers.get('cache-control')).toBe('public, max-age=60');
  });

  it('let nothing else be kept', async () => {
    for (const [path, init] of [
      [infer, inference()],
      ['/v2/health/live', {}],
      ['/v2/models/nobody', {}],
    ] as const) {
      expect((await callWith({}, path, init)).headers.get('cache-control')).toBe('no-store, no-transform');
    }
  });
});

describe('the log', () => {
  it('has one line of JSON per request, and no secrets', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    await callWith(
      { LOG_REQUESTS: true, API_KEY: KEY },
      `${infer}?token=${KEY}`,
      inference({ authorization: `Bearer ${KEY}` }),
    );
    expect(log).toHaveBeenCalledTimes(1);
    const [line = ''] = (log.mock.calls[0] ?? []) as string[];
    expect(JSON.parse(line)).toMatchObject({ method: 'POST', path: infer, status: 200 });
    expect(line).not.toContain(KEY);
  });

  it('can be turned off', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    await callWith({ LOG_REQUESTS: 'false' }, '/v2');
    expect(log).not.toHaveBeenCalled();
  });
});
