/** A Worker takes its configuration from its options and from the environment, which takes precedence. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createApp, createWorker, type Env, type Image, type WorkerOptions } from '../../worker/create-worker.ts';
import { ask, imageOf, layer, samples, type Reply } from './images.ts';

const image = imageOf({ name: 'echo', kind: 'logits', explain: true, batchNorm: [layer] });
const infer = '/v2/models/echo/infer';
const row = samples([[1, 2]]);

afterEach(() => {
  vi.restoreAllMocks();
});

/** Observes a setting: a request, and what its answer shows of the setting. */
interface Probe {
  readonly path: string;
  readonly init?: RequestInit;
  readonly see: (reply: Reply) => unknown;
}

const status: Probe['see'] = (reply) => reply.status;
const origin = 'https://app.example';
const probes = {
  explain: { path: '/v2/models/echo/explain', init: row, see: status },
  batchnorm: { path: '/v2/models/echo/batchnorm', see: status },
  batch: { path: infer, init: samples([[1, 2]], { parameters: { statistics: 'batch' } }), see: status },
  classified: {
    path: '/v2/models/echo/classify',
    init: samples([[1, 2]], { parameters: { statistics: 'batch' } }),
    see: status,
  },
  // Without assets the page cannot be served, and the answer says so.
  page: { path: '/', see: ({ body }) => (JSON.stringify(body).includes('page: expected its files') ? 'page' : 'list') },
  docs: { path: '/docs', see: status },
  openapi: { path: '/openapi.json', see: status },
  cors: {
    path: infer,
    init: { ...row, headers: { 'content-type': 'application/json', origin } },
    see: ({ headers }) => headers.get('access-control-allow-origin'),
  },
  apiKey: { path: infer, init: row, see: status },
  known: {
    path: infer,
    init: { ...row, headers: { 'content-type': 'application/json', authorization: 'Bearer open' } },
    see: status,
  },
  bodyBytes: { path: infer, init: row, see: status },
  batchLimit: { path: infer, init: samples([[1, 2], [3, 4], [5, 6]]), see: status }, // oxfmt-ignore
} satisfies Record<string, Probe>;

const table: [probe: keyof typeof probes, options: WorkerOptions, env: Env, seen: unknown][] = [
  ['explain', {}, {}, 200],
  ['explain', { explain: false }, {}, 404],
  ['explain', { explain: false }, { EXPLAIN: 'true' }, 200],
  ['explain', { explain: true }, { EXPLAIN: false }, 404],
  ['batchnorm', {}, {}, 200],
  ['batchnorm', { explain: false }, {}, 404],
  ['batch', {}, {}, 200],
  ['batch', { explain: false }, {}, 404],
  ['batch', {}, { EXPLAIN: 'false' }, 404],
  ['classified', {}, {}, 200],
  ['classified', { explain: false }, {}, 404],
  ['page', {}, {}, 'list'],
  ['page', { page: true }, {}, 'page'],
  ['page', { page: true }, { PAGE: 'false' }, 'list'],
  ['page', {}, { PAGE: true }, 'page'],
  ['docs', {}, {}, 404],
  ['docs', { docs: true }, {}, 200],
  ['docs', { docs: true }, { DOCS: 'false' }, 404],
  ['docs', {}, { DOCS: 'true' }, 200],
  ['docs', { docs: true }, { DOCS: '' }, 200],
  ['openapi', {}, {}, 404],
  ['openapi', {}, { DOCS: true }, 200],
  ['cors', {}, {}, null],
  ['cors', { cors: '*' }, {}, '*'],
  ['cors', { cors: origin }, {}, origin],
  ['cors', { cors: ['https://other.example', origin] }, {}, origin],
  ['cors', { cors: 'https://other.example' }, {}, null],
  ['cors', { cors: 'https://other.example' }, { CORS_ORIGINS: `https://third.example, ${origin}` }, origin],
  ['cors', { cors: '*' }, { CORS_ORIGINS: '[]' }, null],
  ['cors', { cors: '*' }, { CORS_ORIGINS: '' }, '*'],
  ['cors', {}, { CORS_ORIGINS: [origin] }, origin],
  ['apiKey', {}, {}, 200],
  ['apiKey', { apiKey: 'open' }, {}, 401],
  ['apiKey', {}, { API_KEY: 'open' }, 401],
  ['apiKey', { apiKey: 'open' }, { API_KEY: '' }, 401],
  ['known', { apiKey: 'open' }, {}, 200],
  ['known', { apiKey: ['new', 'open'] }, {}, 200],
  ['known', { apiKey: 'open' }, { API_KEY: 'other' }, 401],
  ['known', { apiKey: 'other' }, { API_KEY: 'open' }, 200],
  ['known', {}, { API_KEY: '["new", "open"]' }, 200],
  ['known', {}, { API_KEY: ['new', 'open'] }, 200],
  ['known', {}, { API_KEY: '["new"]' }, 401],
  ['bodyBytes', { limits: { bodyBytes: 20 } }, {}, 413],
  ['bodyBytes', { limits: { bodyBytes: 20 } }, { MAX_BODY_BYTES: '1000' }, 200],
  ['bodyBytes', {}, { MAX_BODY_BYTES: 20 }, 413],
  ['batchLimit', {}, {}, 200],
  ['batchLimit', { limits: { batch: 2 } }, {}, 413],
  ['batchLimit', { limits: { batch: 2 } }, { MAX_BATCH: '3' }, 200],
  ['batchLimit', {}, { MAX_BATCH: 2 }, 413],
];

describe('the settings', () => {
  it.each(table)('%s under options %o and variables %o: %s', async (name, options, env, seen) => {
    const { path, init, see }: Probe = probes[name];
    for (const make of [createWorker, createApp]) {
      expect(see(await ask(make(image, { log: false, ...options }), path, init, env))).toBe(seen);
    }
  });

  it.each([
    [{}, {}, 1],
    [{ log: false }, {}, 0],
    [{ log: false }, { LOG_REQUESTS: 'true' }, 1],
    [{}, { LOG_REQUESTS: false }, 0],
  ] as const)('log under options %o and variables %o: %i lines', async (options, env, lines) => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    await ask(createWorker(image, options), '/v2', {}, env);
    expect(log).toHaveBeenCalledTimes(lines);
  });

  it('work without any environment', async () => {
    const worker = createWorker(image, { log: false });
    expect((await worker.fetch(new Request(`http://worker${infer}`, row))).status).toBe(200);
    expect((await createApp(image, { log: false }).request(infer, row)).status).toBe(200);
  });
});

describe('what is turned off', () => {
  it.each([
    ['/v2/models/echo/explain', { explain: false }, 'EXPLAIN=true or createWorker(image, { explain: true })'],
    ['/docs', {}, 'DOCS=true or createWorker(image, { docs: true })'],
    ['/openapi.json', {}, 'DOCS=true or createWorker(image, { docs: true })'],
  ] as const)('says at %s how to turn it on', async (path, options, hint) => {
    const init = path.startsWith('/v2') ? row : {};
    const { status, body } = await ask(createWorker(image, options), path, init);
    expect([status, body]).toEqual([404, { error: expect.stringContaining(hint) as unknown }]);
  });
});

describe('what is no image', () => {
  const expected = 'image: expected the default export of image.mjs, which bn-edge build writes, got';

  it.each<[value: unknown, got: string]>([
    [undefined, 'nothing'],
    [null, 'null'],
    ['.bn-edge/image.mjs', 'a string'],
    [{}, 'another object'],
    [{ default: image }, 'another object'],
    [Promise.resolve(image), 'another object'],
    [{ ...image, sessions: {} }, 'another object'],
  ])('is refused where the Worker is made: %o', (value, got) => {
    for (const make of [createWorker, createApp])
      expect(() => make(value as Image)).toThrow(new TypeError(`${expected} ${got}`));
  });

  it('is not all that the module exports', async () => {
    const module = { ...image, default: image, FeedError: Error };
    expect((await ask(createWorker(module), '/v2/models/echo')).status).toBe(200);
  });
});

describe('wrong settings', () => {
  it.each<[options: object, message: string]>([
    [{ explain: 'yes' }, 'explain: expected true or false, got "yes"'],
    [{ log: 1 }, 'log: expected true or false, got 1'],
    [{ limits: { batch: 0 } }, 'limits.batch: expected a positive integer, got 0'],
    [{ limits: { bodyBytes: 1.5 } }, 'limits.bodyBytes: expected a positive integer, got 1.5'],
    [{ cors: 'app.example' }, 'cors: expected * or origins as in https://app.example, got "app.example"'],
    [
      { cors: ['https://app.example/'] },
      'cors: expected * or origins as in https://app.example, got "https://app.example/"',
    ],
    [{ apiKey: '' }, 'apiKey: expected keys of letters, digits and -._~+/, got another'],
    [{ apiKey: 'two words' }, 'apiKey: expected keys of letters, digits and -._~+/, got another'],
    [{ apiKey: [] }, 'apiKey: expected at least one key, got none'],
    [{ apiKey: 7 }, 'apiKey: expected a text or a list of texts, got another value'],
    [{ doc: true }, 'options: expected explain, page, docs, metrics, cors, apiKey, log, monitor or limits, got "doc"'],
    [{ limits: { size: 1 } }, 'limits: expected bodyBytes or batch, got "size"'],
  ])('are refused where the Worker is made: %o', (options, message) => {
    for (const make of [createWorker, createApp]) expect(() => make(image, options)).toThrow(new Error(message));
  });

  it.each<[options: unknown, message: string]>([
    ['docs', 'options: expected an object, got a string'],
    [null, 'options: expected an object, got null'],
    [{ limits: 7 }, 'limits: expected an object, got 7'],
    [{ limits: null }, 'limits: expected an object, got null'],
  ])('are refused where they are no objects: %o', (options, message) => {
    for (const make of [createWorker, createApp])
      expect(() => make(image, options as WorkerOptions)).toThrow(new TypeError(message));
  });

  it.each<[env: object, message: string]>([
    [{ EXPLAIN: 'on' }, 'EXPLAIN: expected true or false, got "on"'],
    [{ MAX_BATCH: 'many' }, 'MAX_BATCH: expected a positive integer, got "many"'],
    [{ MAX_BODY_BYTES: -1 }, 'MAX_BODY_BYTES: expected a positive integer, got -1'],
    [{ CORS_ORIGINS: 'app' }, 'CORS_ORIGINS: expected * or origins as in https://app.example, got "app"'],
    [{ API_KEY: '[' }, 'API_KEY: expected a text or a list of texts, got another value'],
    [{ API_KEY: 'söcret' }, 'API_KEY: expected keys of letters, digits and -._~+/, got another'],
  ])('of the environment are an error of ours, told in the log: %o', async (env, message) => {
    const error = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const body = samples([[1, 2]], { parameters: { statistics: 'batch' } });
    const reply = await ask(createWorker(image, { log: false }), infer, body, env);
    expect([reply.status, reply.body]).toEqual([500, { error: 'internal server error' }]);
    expect(error).toHaveBeenCalledWith(new Error(message));
  });
});
