/** The app runs under a path of another Hono app, beside that app's own routes, and with two images in one Worker. */
import { Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { afterEach, describe, expect, it, vi } from 'vitest';
import image from '../../.bn-edge/image.mjs';
import { createApp, createWorker, type Env, type WorkerOptions } from '../../worker/create-worker.ts';
import { pixels } from './client.ts';
import { ask, imageOf, jsonRequest, layer, samples, type Reply } from './images.ts';

const origin = 'https://app.example';
const echo = imageOf({ name: 'echo', kind: 'logits', explain: true, batchNorm: [layer] });
const everything: WorkerOptions = { docs: true, apiKey: 'open', cors: origin, limits: { batch: 2 } };

/** A user's app: it has routes before and after this app, and its own answers to errors and to unknown paths. */
function host(mount: string, options: WorkerOptions = everything): Hono {
  const app = new Hono();
  app.onError((error, c) => c.text(`host: ${error.message}`, 418));
  app.notFound((c) => c.text('host: nothing here', 404));
  app.get('/before', (c) => c.text('host: before'));
  app.route(mount, createApp(echo, options));
  app.get('/after', (c) => c.text('host: after'));
  app.post('/after', (c) => c.text('host: posted'));
  app.get('/fails', () => {
    throw new Error('broken');
  });
  app.get('/forbids', () => {
    throw new HTTPException(403, { message: 'no' });
  });
  return app;
}

const open = { authorization: 'Bearer open' };
const withKey = (init: RequestInit = {}): RequestInit => ({
  ...init,
  headers: { ...(init.headers as object), ...open },
});

afterEach(() => {
  vi.restoreAllMocks();
});

describe.each(['/ml', '/', '/a/b', '/of/:tenant', '/ml/'])('mounted at %s', (mount) => {
  const app = host(mount);
  const base = mount.replace(':tenant', 'acme').replace(/\/$/, '');
  const at = (path: string, init?: RequestInit): Promise<Reply> => ask(app, `${base}${path}`, init);

  it('answers inference', async () => {
    const { status, body } = await at('/v2/models/echo/infer', withKey(samples([[1, 2]])));
    expect([status, body]).toEqual([
      200,
      {
        model_name: 'echo',
        model_version: '1',
        outputs: [{ name: 'y', datatype: 'FP32', shape: [1, 2], data: [1, 2] }],
      },
    ]);
    expect((await at('/v2/models/echo/versions/1/infer', withKey(samples([[1, 2]])))).status).toBe(200);
    expect((await at('/v2/models/echo/classify', withKey(samples([[1, 2]])))).status).toBe(200);
    expect((await at('/v2/models/echo/explain', withKey(samples([[1, 2]])))).status).toBe(200);
  });

  it('guards its models by the key', async () => {
    for (const path of [
      '/v2/models/echo',
      '/v2/repository/index',
      '/docs',
      '/openapi.json',
      mount === '/' ? '/' : '',
    ]) {
      const refused = await at(path);
      expect([path, refused.status, refused.body]).toEqual([
        path,
        401,
        { error: 'authorization: expected "Bearer" and the API key, got none or another' },
      ]);
      expect((await at(path, withKey())).status).toBe(200);
    }
    expect((await at('/v2')).status).toBe(200);
  });

  it('answers errors of its own', async () => {
    const { status, body, headers } = await at('/v2/models/nobody', withKey());
    expect([status, body]).toEqual([404, { error: 'model: expected echo, got "nobody"' }]);
    expect(headers.get('cache-control')).toBe('no-store, no-transform');
    const limited = await at('/v2/models/echo/infer', withKey(samples([[1, 2], [1, 2], [1, 2]]))); // oxfmt-ignore
    expect(limited.status).toBe(413);
  });

  it('answers a path that it does not know, below its own', async () => {
    const { status, body, headers } = await at('/v2/nothing');
    expect([status, body]).toEqual([
      404,
      { error: `path: expected one that ${base}/docs lists, got ${JSON.stringify(`${base}/v2/nothing`)}` },
    ]);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('answers another method with those that a path takes', async () => {
    const read = await at('/v2/models/echo', withKey({ method: 'DELETE' }));
    expect([read.status, read.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    const written = await at('/v2/models/echo/infer', withKey());
    expect([written.status, written.headers.get('allow'), written.body]).toEqual([
      405,
      'POST',
      { error: 'method: expected POST, got GET' },
    ]);
    expect((await at('/docs', withKey({ method: 'PUT' }))).status).toBe(405);
  });

  it('lists its models and documents itself under its path', async () => {
    const list = await at(mount === '/' ? '/' : '', withKey());
    expect(list.body).toEqual({
      name: 'bn-edge',
      version: expect.any(String) as unknown,
      models: [{ name: 'echo', version: '1', url: `${base}/v2/models/echo` }],
      docs: `${base}/docs`,
    });
    expect((await at('/openapi.json', withKey())).body).toMatchObject({
      servers: [{ url: base === '' ? '/' : base }],
      paths: { '/v2/models/{model}/infer': {} },
    });
    const page = await at('/docs', withKey());
    const links = [...page.text.matchAll(/href="([^"#]*)"/g)].map(([, href]) => href);
    expect(links).toEqual([`${base}/docs/style.css`, `${base}/`, `${base}/openapi.json`]);
    expect((await at('/v2')).body).toMatchObject({ docs: `${base}/docs` });
    for (const href of links) expect((await ask(app, href ?? '', withKey())).status).toBe(200);
    expect(page.text).toContain(`<code>${base}/v2/models/{model}/infer</code>`);
  });

  it('lets other origins in', async () => {
    const path = '/v2/models/echo/infer';
    const preflight = await at(path, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST' },
    });
    expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([204, origin]);
    const { headers } = samples([[1, 2]]);
    const answer = await at(path, { ...samples([[1, 2]]), headers: { ...(headers as object), ...open, origin } });
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([200, origin]);
  });

  it('lets metadata be kept, asked for again, and not its health', async () => {
    const first = await at('/v2/models/echo', withKey());
    expect(first.headers.get('cache-control')).toBe('private, max-age=60, no-transform');
    const again = await at('/v2/models/echo', {
      headers: { ...open, 'if-none-match': first.headers.get('etag') ?? '' },
    });
    expect(again.status).toBe(304);
    expect((await at('/v2/health/live')).headers.get('cache-control')).toBe('no-store, no-transform');
  });

  it.each([
    ['GET', '/before', 200, 'host: before'],
    ['GET', '/after', 200, 'host: after'],
    ['POST', '/after', 200, 'host: posted'],
    ['GET', '/fails', 418, 'host: broken'],
    ['GET', '/forbids', 418, 'host: no'],
    ['GET', '/nothing', 404, 'host: nothing here'],
    ['PUT', '/after', 404, 'host: nothing here'],
    ['OPTIONS', '/after', 404, 'host: nothing here'],
  ])("leaves its neighbour's %s %s alone", async (method, path, status, text) => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    const reply = await ask(app, path, { method, headers: { origin } }, {});
    expect([reply.status, reply.text]).toEqual([status, text]);
    expect([...reply.headers.keys()]).toEqual(['content-type']);
    expect(log).not.toHaveBeenCalled();
  });
});

describe('mounted below a path', () => {
  it('answers everything below it, and itself with a slash', async () => {
    const app = host('/ml');
    const unknown = await ask(app, '/ml/nothing');
    expect([unknown.status, unknown.body]).toEqual([
      404,
      { error: 'path: expected one that /ml/docs lists, got "/ml/nothing"' },
    ]);
    expect((await ask(app, '/ml/', withKey())).body).toEqual((await ask(app, '/ml', withKey())).body);
    expect((await ask(app, '/ml/')).status).toBe(401);
    expect((await ask(app, '/mlx')).text).toBe('host: nothing here');
  });

  it("reads a body that the host's own middleware has read", async () => {
    const app = new Hono();
    app.use(async (c, next) => {
      await c.req.json();
      await next();
    });
    app.route('/ml', createApp(echo, { limits: { bodyBytes: 100 } }));
    expect((await ask(app, '/ml/v2/models/echo/infer', samples([[1, 2]]))).status).toBe(200);
    expect((await ask(app, '/ml/v2/models/echo/infer', samples([[1, 2]], { id: 'x'.repeat(99) }))).status).toBe(413);
  });

  it('takes its variables from the environment of the host', async () => {
    const app = host('/ml', {});
    const env: Env = { API_KEY: 'open', DOCS: 'true', LOG_REQUESTS: 'false' };
    expect((await ask(app, '/ml/v2/models/echo', {}, env)).status).toBe(401);
    expect((await ask(app, '/ml/docs', withKey(), env)).status).toBe(200);
  });
});

describe('two images in one Worker', () => {
  const other = imageOf({ name: 'digits', version: '9', kind: 'number', shape: ['N', 1] });

  it('serve side by side, each with its own models and settings', async () => {
    const app = new Hono();
    app.route('/real', createApp(image, { docs: true }));
    app.route('/hand', createApp(other, { apiKey: 'open' }));
    const digits = jsonRequest({ inputs: [pixels(1)] });
    expect((await ask(app, '/real/v2/models/digits/infer', digits)).body).toMatchObject({ model_version: '3' });
    const key = withKey(samples([[7]]));
    expect((await ask(app, '/hand/v2/models/digits/infer', key)).body).toMatchObject({ model_version: '9' });
    expect((await ask(app, '/hand/v2/models/digits')).status).toBe(401);
    expect((await ask(app, '/real/v2/models/digits')).status).toBe(200);
    expect((await ask(app, '/hand/docs', withKey())).status).toBe(404);
    expect((await ask(app, '/real/docs')).status).toBe(200);
  });

  it('serve as Workers of their own, which know nothing of each other', async () => {
    const [one, two] = [createWorker(image), createWorker(other)];
    const digits = jsonRequest({ inputs: [pixels(1)] });
    const before = await ask(one, '/v2/models/digits/infer', digits);
    expect((await ask(two, '/v2/models/digits/infer', digits)).status).toBe(400);
    expect((await ask(two, '/v2/models/digits/infer', samples([[7]]))).body).toMatchObject({ model_version: '9' });
    expect((await ask(one, '/v2/models/digits/infer', digits)).body).toEqual(before.body);
  });

  it('are understood when they fail, each by an error of its own class', async () => {
    const failing = (outOfMemory: boolean) => {
      class InferenceError extends Error {
        override readonly name = 'InferenceError';
        readonly outOfMemory = outOfMemory;
      }
      const run = (): never => {
        throw new InferenceError('a kernel refuses');
      };
      return createWorker(imageOf({ name: 'echo', run }), { log: false });
    };
    const answers = [false, true].map((outOfMemory) =>
      ask(failing(outOfMemory), '/v2/models/echo/infer', samples([[1, 2]])),
    );
    const arithmetic = ['left', 'right'].map((name, i) => {
      const data = new Array<number>(2 + i).fill(1);
      return { name, datatype: 'FP32', shape: [2 + i], data };
    });
    const real = ask(createWorker(image), '/v2/models/arithmetic/infer', jsonRequest({ inputs: arithmetic }));
    expect((await Promise.all([...answers, real])).map(({ status, body }) => [status, body])).toEqual([
      [400, { error: 'onnxruntime: a kernel refuses' }],
      [413, { error: 'batch: expected one that fits into memory, got a larger one' }],
      [400, { error: expect.stringMatching(/^onnxruntime: Attempting to broadcast/) as unknown }],
    ]);
  });
});
