/** A Worker serves the list of models or the page at `/`, and the API reference beside the protocol. */
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { Hono } from 'hono';
import { createApp, createWorker, type Assets } from '../../worker/create-worker.ts';
import { responseSchemas } from '../../worker/protocol/responses.ts';
import { version } from '../../worker/version.ts';
import { ask, imageOf, layer } from './images.ts';

const image = imageOf(
  { name: 'churn', version: '2', kind: 'probabilities' },
  { name: 'look', kind: 'logits', explain: true, batchNorm: [layer] },
  { name: 'price', kind: 'number', shape: ['N', 1], batchNorm: [layer] },
);

describe('the list of models', () => {
  it.each([false, true])('tells where each answers, and the reference where there is one: %s', async (docs) => {
    const worker = createWorker(image, { docs });
    const { body } = await ask(worker, '/');
    expect(body).toEqual({
      name: 'bn-edge',
      version,
      models: [
        { name: 'churn', version: '2', url: '/v2/models/churn' },
        { name: 'look', version: '1', url: '/v2/models/look' },
        { name: 'price', version: '1', url: '/v2/models/price' },
      ],
      ...(docs && { docs: '/docs' }),
    });
    const { models } = z.parse(responseSchemas().Overview, body);
    for (const { name, url } of models) expect((await ask(worker, url)).body).toMatchObject({ name });
  });
});

/** Serves the static assets of a page; a missing file gets 404, as on the platform. */
function assetsOf(files: Readonly<Record<string, string>>): Assets {
  return {
    fetch: (request) => {
      const { pathname } = new URL(request.url);
      const file = files[pathname];
      const headers = { 'x-content-type-options': 'nosniff', 'content-type': 'text/html' };
      return Promise.resolve(
        file === undefined ? new Response(null, { status: 404 }) : new Response(file, { headers }),
      );
    },
  };
}

describe('the page', () => {
  const ASSETS = assetsOf({ '/': '<h1>page</h1>', '/assets/main.js': 'start()' });
  const env = { PAGE: 'true', ASSETS, LOG_REQUESTS: false };

  /** Redirects as the platform does for a folder without its slash. */
  const redirecting: Assets = {
    fetch: (request) => {
      const { pathname, search } = new URL(request.url);
      expect(request.redirect).toBe('manual');
      const headers = { location: `${pathname}/${search}` };
      return Promise.resolve(
        pathname === '/train' ? new Response(null, { status: 307, headers }) : new Response(`<h1>${pathname}</h1>`),
      );
    },
  };

  it.each(['', '/ml'])('leads from the training page without a slash to the one with it, under %j', async (mount) => {
    const app = mount === '' ? createWorker(image) : new Hono().route(mount, createApp(image));
    const own = { ...env, ASSETS: redirecting };
    const { status, headers } = await ask(app, `${mount}/train?a=1`, {}, own);
    expect([status, headers.get('location')]).toEqual([307, `${mount}/train/?a=1`]);
    expect((await ask(app, `${mount}/train/`, {}, own)).text).toBe('<h1>/train/</h1>');
  });

  it('comes from the assets, with its files', async () => {
    const worker = createWorker(image);
    expect((await ask(worker, '/', {}, env)).text).toBe('<h1>page</h1>');
    expect((await ask(worker, '/assets/main.js', {}, env)).text).toBe('start()');
    expect((await ask(worker, '/assets/other.js', {}, env)).status).toBe(404);
    expect((await ask(worker, '/assets/main.js', { method: 'POST' }, env)).status).toBe(404);
  });

  it('comes from a mount path, behind a slash that makes its addresses relative to it', async () => {
    const app = new Hono().route('/ml', createApp(image));
    const moved = await ask(app, '/ml?a=1', { redirect: 'manual' }, env);
    expect([moved.status, moved.headers.get('location')]).toEqual([308, '/ml/?a=1']);
    expect((await ask(app, '/ml/', {}, env)).text).toBe('<h1>page</h1>');
    expect((await ask(app, '/ml/assets/main.js', {}, env)).text).toBe('start()');
    expect((await ask(app, '/assets/main.js', {}, env)).status).toBe(404);
  });

  it('is for everyone, where the models ask for a key', async () => {
    const worker = createWorker(image, { apiKey: 'open' });
    expect((await ask(worker, '/', {}, env)).status).toBe(200);
    expect((await ask(worker, '/v2/models/look', {}, env)).status).toBe(401);
  });

  it.each([
    ['no assets', undefined],
    ['assets without it', assetsOf({})],
  ])('is missed in one line: %s', async (_, assets) => {
    const { status, body } = await ask(createWorker(image), '/', {}, { ...env, ASSETS: assets });
    expect([status, body]).toEqual([
      404,
      {
        error:
          'page: expected its files among the static assets, got none ([assets] directory = "node_modules/bn-edge/dist/page", binding = "ASSETS" in wrangler.toml)',
      },
    ]);
  });

  it('is not there unless it is turned on', async () => {
    const { body } = await ask(createWorker(image), '/', {}, { ...env, PAGE: '' });
    expect(body).toMatchObject({ name: 'bn-edge' });
    expect((await ask(createWorker(image), '/assets/main.js', {}, { ...env, PAGE: '' })).status).toBe(404);
  });
});

interface Documented {
  readonly paths: Readonly<
    Record<string, Record<string, { parameters?: { name: string; schema: { enum?: string[] } }[] }>>
  >;
}

describe('the reference', () => {
  const modelsAt = async (path: string, options: object): Promise<string[] | undefined> => {
    const { body } = await ask(createWorker(image, { docs: true, ...options }), '/openapi.json');
    const [operation] = Object.values((body as Documented).paths[path] ?? {});
    return operation?.parameters?.find(({ name }) => name === 'model')?.schema.enum;
  };

  it.each([
    ['/infer', {}, ['churn', 'look', 'price']],
    ['/classify', {}, ['churn', 'look']],
    ['/explain', {}, ['look']],
    ['/batchnorm', {}, ['churn', 'look', 'price']],
    ['/explain', { explain: false }, undefined],
    ['/batchnorm', { explain: false }, undefined],
  ])('names the models that answer %s under options %o: %o', async (end, options, expected) => {
    expect(await modelsAt(`/v2/models/{model}${end}`, options)).toEqual(expected);
  });

  it('is asked for in vain unless it is turned on, and an unknown path says how to', async () => {
    const { status, body } = await ask(createWorker(image), '/v3');
    expect([status, body]).toEqual([
      404,
      { error: 'path: expected one under /v2 (DOCS=true lists them at /docs), got "/v3"' },
    ]);
  });
});
