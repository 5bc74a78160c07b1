/** A Worker reports its models' drift by its route and to Prometheus, also without a store and with one that fails. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createWorker, type WorkerHandler } from '../../worker/create-worker.ts';
import type { Crossing } from '../../worker/drift/crossing.ts';
import { createMonitor } from '../../worker/drift/index.ts';
import { type DriftWindow, windowMs } from '../../worker/drift/window.ts';
import { ask, imageOf, layer, samples } from './images.ts';

const monitored = {
  layers: [{ name: 'norm', of: 'input', hasPlaces: false }],
  columns: [],
  classes: { shares: [0.5, 0.5], samples: 1000 },
} as const;

const image = imageOf(
  { name: 'digits', version: '3', kind: 'logits', labels: ['a', 'b'], batchNorm: [layer], monitor: monitored },
  { name: 'other', kind: 'logits' },
);

afterEach(() => {
  vi.restoreAllMocks();
});

const hour = Math.floor(Date.now() / windowMs) * windowMs;

/** Returns a window of samples with mean `mean` and variance 1 in both channels. */
const windowOf = (start: number, count: number, mean = 0): DriftWindow => {
  const both = (value: number): readonly number[] => [value * count, value * count];
  return {
    start,
    samples: count,
    layers: { norm: { mean: both(mean), square: both(mean ** 2 + 1), meanSquare: both(mean ** 2 + 1) } },
    columns: {},
    classes: { a: count / 2, b: count / 2 },
  };
};

/** Returns a binding whose windows are those that `windows` returns. */
const bound = (windows: (query: unknown) => unknown): object => ({
  LOG_REQUESTS: false,
  DRIFT: {
    idFromName: (name: string) => name,
    get: (name: string) => ({ windows: (query: object) => windows({ name, ...query }) }),
  },
});

const workerOf = (options: object = {}): WorkerHandler =>
  createWorker(image, { monitor: createMonitor(), docs: true, ...options });
const path = '/v2/models/digits/drift';

describe('the path drift', () => {
  it('tells of the windows that the model’s store has', async () => {
    const asked: unknown[] = [];
    const env = bound((query) => (asked.push(query), [windowOf(hour - windowMs, 400), windowOf(hour, 400, 2)]));
    const { status, body } = await ask(workerOf(), path, {}, env);
    expect(status).toBe(200);
    expect(asked).toEqual([
      {
        name: 'digits',
        version: '3',
        reference: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
        from: hour - 23 * windowMs,
        to: Number.MAX_SAFE_INTEGER,
      },
    ]);
    expect(body).toMatchObject({
      model_name: 'digits',
      model_version: '3',
      drifted: true,
      window: { start: hour, samples: 400, layers: [{ name: 'norm', drifted: true, drifted_channels: 2 }], classes: { drifted: false } },
      trend: [{ samples: 400, drifted: false }, { samples: 400, drifted: true }],
    }); // oxfmt-ignore
  });

  it.each([
    ['hours=2', hour - windowMs, 2],
    ['hours=6&window=2', hour - 5 * windowMs, 1],
  ])('takes ?%s', async (query, from, windows) => {
    const asked: unknown[] = [];
    const env = bound((one) => (asked.push(one), [windowOf(hour - windowMs, 400), windowOf(hour, 400)]));
    const { body } = await ask(workerOf(), `${path}?${query}`, {}, env);
    expect(asked).toMatchObject([{ from }]);
    expect((body as { trend: unknown[] }).trend).toHaveLength(windows);
  });

  it('has no windows that are longer than what is asked for', async () => {
    const env = bound(() => [windowOf(hour, 400)]);
    const { body } = await ask(workerOf(), `${path}?hours=2&window=168`, {}, env);
    expect(body).toMatchObject({ window: { start: hour, hours: 2 } });
  });

  it('asks for a week day by day, since an answer of a Durable Object has a limit', async () => {
    const asked: { from: number; to: number }[] = [];
    const env = bound((query) => {
      asked.push(query as (typeof asked)[number]);
      return asked.length === 7 ? [windowOf(hour, 400)] : [windowOf((query as (typeof asked)[number]).from, 300)];
    });
    const { body } = await ask(workerOf(), `${path}?hours=168`, {}, env);
    const day = 24 * windowMs;
    const starts = Array.from({ length: 7 }, (_, i) => hour - 167 * windowMs + i * day);
    expect(asked.map(({ from, to }) => [from, to])).toEqual(
      starts.map((from, i) => [from, i === 6 ? Number.MAX_SAFE_INTEGER : from + day]),
    );
    expect((body as { trend: { start: number }[] }).trend.map(({ start }) => start)).toEqual([...starts.slice(0, 6), hour]); // oxfmt-ignore
  });

  it('is that of the version too, and of no other', async () => {
    const env = bound(() => []);
    const { body } = await ask(workerOf(), '/v2/models/digits/versions/3/drift', {}, env);
    expect(body).toMatchObject({ model_version: '3', drifted: null, window: null, trend: [] });
    expect((await ask(workerOf(), '/v2/models/digits/versions/4/drift', {}, env)).status).toBe(404);
  });

  it('is never kept by who asks it', async () => {
    const { headers } = await ask(
      workerOf(),
      path,
      {},
      bound(() => []),
    );
    expect(headers.get('cache-control')).toBe('no-store');
  });

  const key = { headers: { authorization: 'Bearer open' } };
  it('asks for the key where models do', async () => {
    const env = bound(() => []);
    expect((await ask(workerOf({ apiKey: 'open' }), path, {}, env)).status).toBe(401);
    expect((await ask(workerOf({ apiKey: 'open' }), path, key, env)).status).toBe(200);
  });

  it.each<[string, string, object, object, number, string]>([
    ['a model that is not monitored', '/v2/models/other/drift', {}, bound(() => []), 404, 'drift: expected a model that is monitored, got other, which is not ("monitor": true in its card.json)'],
    ['a Worker that monitors none', path, { monitor: undefined }, bound(() => []), 404, "drift: expected a Worker that monitors, got one that does not (createWorker(image, { monitor }) with the monitor of 'bn-edge/worker/drift')"],
    ['no binding', path, {}, { LOG_REQUESTS: false }, 409, 'drift: expected the binding DRIFT of the class DriftMonitor, got none (bn-edge init --monitor adds it, or prints what wrangler.toml needs)'],
    ['a binding of another kind', path, {}, { LOG_REQUESTS: false, DRIFT: { get: () => null } }, 409, 'drift: expected the binding DRIFT of the class DriftMonitor, got none (bn-edge init --monitor adds it, or prints what wrangler.toml needs)'],
    ['no hours', `${path}?hours=0`, {}, bound(() => []), 400, 'hours: expected an integer from 1 to 168, got 0'],
    ['too many hours', `${path}?window=169`, {}, bound(() => []), 400, 'window: expected an integer from 1 to 168, got 169'],
  ])('refuses in one line: %s', async (_, to, options, env, status, error) => {
    const answer = await ask(workerOf(options), to, {}, env);
    expect([answer.status, answer.body]).toEqual([status, { error }]);
  }); // oxfmt-ignore

  it.each<[string, (query: unknown) => unknown]>([
    ['refuses', () => Promise.reject(new Error('storage broke'))],
    [
      'throws',
      () => {
        throw new Error('storage broke');
      },
    ],
    ['is another’s', () => 'nothing'],
  ])('says so where the store %s', async (_, windows) => {
    // oxfmt-ignore
    const logged = vi.spyOn(console, 'error').mockReturnValue();
    const { status, body } = await ask(workerOf(), path, {}, bound(windows));
    expect([status, body]).toEqual([500, { error: 'drift: expected the windows that DRIFT keeps, could not read them (the log has the reason)' }]); // oxfmt-ignore
    expect(logged).toHaveBeenCalled();
  });

  it('is in the document of a Worker that monitors, with the models that are monitored', async () => {
    const documented = async (options: object): Promise<Record<string, unknown>> => {
      const { body } = await ask(workerOf(options), '/openapi.json');
      return (body as { paths: Record<string, unknown> }).paths;
    };
    expect(JSON.stringify((await documented({}))['/v2/models/{model}/drift'])).toContain('"enum":["digits"]');
    expect(await documented({ monitor: undefined })).not.toHaveProperty('/v2/models/{model}/drift');
    expect(await documented({ metrics: true })).toHaveProperty('/metrics');
    expect(await documented({})).not.toHaveProperty('/metrics');
  });

  it.each([
    [{}, true],
    [{ monitor: undefined }, undefined],
  ])('is told by the model’s metadata: %o', async (options, drift) => {
    const parametersOf = async (name: string): Promise<unknown> =>
      ((await ask(workerOf(options), `/v2/models/${name}`)).body as { parameters: { drift?: true } }).parameters.drift;
    expect([await parametersOf('digits'), await parametersOf('other')]).toEqual([drift, undefined]);
  });
});

describe('/metrics', () => {
  const env = bound(() => [windowOf(hour, 400, 2)]);

  it('tells of all monitored models', async () => {
    const { status, headers, text } = await ask(workerOf({ metrics: true }), '/metrics', {}, env);
    expect([status, headers.get('content-type')]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(text).toContain('\nbn_edge_drift_detected{model="digits",version="3"} 1\n');
    expect(text).not.toContain('other');
  });

  it('tells nothing of a model whose windows cannot be read', async () => {
    vi.spyOn(console, 'error').mockReturnValue();
    const { status, text } = await ask(workerOf({ metrics: true }), '/metrics', {}, bound(() => Promise.reject(new Error('broke')))); // oxfmt-ignore
    expect([status, text]).toEqual([200, '']);
  });

  it.each<[string, object, object, number]>([
    ['by default', {}, env, 404],
    ['where the variable says so', { metrics: true }, { ...env, METRICS: 'false' }, 404],
    ['where nothing is monitored', { metrics: true, monitor: undefined }, env, 404],
    ['without the key', { metrics: true, apiKey: 'open' }, env, 401],
  ])('is not there %s', async (_, options, environment, status) => {
    expect((await ask(workerOf(options), '/metrics', {}, environment)).status).toBe(status);
  });
});

describe('a crossing', () => {
  const webhook = 'https://hooks.example/drift?token=secret';

  /** Returns a store that counts samples and keeps the verdict, and whose window has the mean that `meanAt` returns. */
  function storeOf(meanAt: (samples: number) => number) {
    let [total, verdict] = [0, false];
    const store = {
      add: (sums: readonly { version: string; start: number; samples: number }[]) =>
        Promise.resolve(
          sums.map(({ version, start, samples: more }) => {
            const before = total;
            total += more;
            return { version, start, before, after: total };
          }),
        ),
      windows: () => Promise.resolve([windowOf(hour, total, meanAt(total))]),
      recordVerdict: (_: string, drifted: boolean) => {
        const isOther = drifted !== verdict;
        verdict = drifted;
        return Promise.resolve(isOther);
      },
    };
    return { idFromName: (name: string) => name, get: () => store };
  }

  /** Sends the model 50 samples at a time, until it has received `count`. */
  async function serve(
    count: number,
    meanAt: (samples: number) => number,
    answer: () => Promise<Response>,
    variables: object = { DRIFT_WEBHOOK: webhook },
  ) {
    const told: Crossing[] = [];
    vi.spyOn(globalThis, 'fetch').mockImplementation((to, init) => {
      expect(to).toBe(webhook);
      expect([init?.method, new Headers(init?.headers).get('content-type')]).toEqual(['POST', 'application/json']);
      expect(init?.redirect).toBe('manual');
      told.push(JSON.parse(init?.body as string) as Crossing);
      return answer();
    });
    const [warned, failed] = [vi.spyOn(console, 'warn').mockReturnValue(), vi.spyOn(console, 'error').mockReturnValue()]; // oxfmt-ignore
    const monitor = createMonitor({ every: 1, flushSamples: 1, wait: () => Promise.resolve() });
    const worker = createWorker(image, { monitor, log: false });
    const env = { DRIFT: storeOf(meanAt), ...variables };
    const rows = Array.from({ length: 50 }, () => [1, 0]);
    for (let sent = 0; sent < count; sent += 50) {
      const later: Promise<unknown>[] = [];
      const context = {
        waitUntil: (work: Promise<unknown>) => later.push(work),
        passThroughOnException: () => undefined,
      };
      const response = await worker.fetch(new Request('http://worker/v2/models/digits/infer', samples(rows)), env, context); // oxfmt-ignore
      expect(response.status).toBe(200);
      await Promise.all(later);
    }
    return {
      told,
      warned: warned.mock.calls.map(([line]) => String(line)),
      failed: failed.mock.calls.map(([line]) => String(line)),
    };
  }

  const ok = (): Promise<Response> => Promise.resolve(new Response(null, { status: 204 }));

  it('is told once, in the log and to the address, and once when it is over', async () => {
    const { told, warned, failed } = await serve(1700, (count) => (count < 800 ? 2 : 0), ok);
    expect(told.map(({ drifted, samples: count }) => [count, drifted])).toEqual([
      [200, true],
      [800, false],
    ]);
    expect(told[0]).toMatchObject({ event: 'drift', model: 'digits', version: '3', start: hour, worst: [{ name: 'norm' }, { name: 'classes' }] }); // oxfmt-ignore
    expect(warned.map((line) => (JSON.parse(line) as Crossing).drifted)).toEqual([true, false]);
    expect(failed).toEqual([]);
  });

  it('is not told of what has never drifted', async () => {
    expect(await serve(500, () => 0, ok)).toEqual({ told: [], warned: [], failed: [] });
  });

  it('is a line of the log where there is no address', async () => {
    const { told, warned } = await serve(250, () => 2, ok, {});
    expect([told.length, warned.length]).toEqual([0, 1]);
  });

  it.each<[string, () => Promise<Response>, string]>([
    ['answers an error', () => Promise.resolve(new Response('no', { status: 500 })), 'expected status 2xx, got 500'],
    ['is elsewhere', () => Promise.resolve(new Response(null, { status: 302, headers: { location: 'https://hooks.example/' } })), 'expected status 2xx, got 302'],
    ['cannot be reached', () => Promise.reject(new TypeError('no route to secret')), 'expected an answer, could not reach the address'],
    ['does not answer', () => Promise.reject(new DOMException('late', 'TimeoutError')), 'expected an answer in 5000 ms, got none'],
  ])('changes no answer where the address %s, and nothing of it but that is logged', async (_, answer, error) => {
    const { failed } = await serve(250, () => 2, answer);
    expect(failed).toEqual([JSON.stringify({ event: 'drift webhook', model: 'digits', error })]);
  }); // oxfmt-ignore

  it('changes no answer where the address is none', async () => {
    const { failed } = await serve(250, () => 2, ok, { DRIFT_WEBHOOK: 'nowhere' });
    expect(failed).toEqual([JSON.stringify({ event: 'drift webhook', model: 'digits', error: 'expected an address as in https://hooks.example/drift in DRIFT_WEBHOOK, got another value' })]); // oxfmt-ignore
  });
});
