/**
 * Workerd's own Durable Objects count the requests to monitored models, under a clock of the test, and no answer
 * changes.
 */
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Column, createWorker, type Image, type WorkerHandler } from '../../worker/create-worker.ts';
import { createMonitor, type DriftWindow, type MonitorOptions } from '../../worker/drift/index.ts';
import type { DriftNamespace } from '../../worker/drift/monitor.ts';
import type { DriftStore } from '../../worker/drift/store.ts';
import { type Echo, imageOf, jsonRequest, layer, samples } from './images.ts';

const HOUR = 3_600_000;
const noon = 490_000 * HOUR;
const { DRIFT } = env as unknown as { readonly DRIFT: DriftNamespace };
const quiet = { LOG_REQUESTS: false };

const stubOf = (model: string): DriftStore => DRIFT.get(DRIFT.idFromName(model) as never) as DriftStore;

const windowsOf = (model: string, { version = '1', from = 0, to = Infinity } = {}): Promise<readonly DriftWindow[]> =>
  stubOf(model).windows({ version, from, to });

let made = 0;
/** Makes a new name for each test, since every Durable Object lives as long as the process. */
const ownName = (): string => `model-${made++}`;

/**
 * Returns a model that answers with its input. Of the watched layer it gives the output, two channels of one position.
 */
const echo = (name: string, more: Partial<Echo> = {}): Echo => ({
  name,
  kind: 'logits',
  labels: ['no', 'yes'],
  batchNorm: [{ ...layer, gamma: [2, 1], beta: [1, 0], runningMean: [5, 0], runningVar: [16, 1], epsilon: 0 }],
  monitor: { layers: [{ name: 'norm', of: 'output', hasPlaces: false }], columns: [] },
  watched: ({ x }, names = []) => {
    if (!x) throw new Error('internal: no feed x');
    const data = Float32Array.from(x.data as Float32Array);
    return Object.fromEntries(names.map((output) => [output, { ...x, data }]));
  },
  ...more,
});

/** Counts every request, and sends at once. */
const eager = (clock: { now: number }, more: MonitorOptions = {}): MonitorOptions => ({
  every: 1,
  flushMs: 0,
  now: () => clock.now,
  wait: () => Promise.resolve(),
  ...more,
});

async function call(
  worker: WorkerHandler,
  path: string,
  init: RequestInit,
  bindings: object = { DRIFT },
): Promise<{ readonly status: number; readonly body: string }> {
  const context = createExecutionContext();
  const response = await worker.fetch(new Request(`http://worker${path}`, init), { ...quiet, ...bindings }, context);
  const body = await response.text();
  await waitOnExecutionContext(context);
  return { status: response.status, body };
}

const workerOf = (image: Image, options: MonitorOptions): WorkerHandler =>
  createWorker(image, { monitor: createMonitor(options) });

const infer = (name: string): string => `/v2/models/${name}/infer`;

afterEach(() => {
  vi.restoreAllMocks();
});

describe('what is counted', () => {
  it('is of the inputs of each layer, back through it, and of the classes', async () => {
    const name = ownName();
    const worker = workerOf(imageOf(echo(name)), eager({ now: noon + 1 }));
    await call(worker, infer(name), samples([[3, 4], [1, 0]])); // oxfmt-ignore
    await call(worker, `/v2/models/${name}/classify`, samples([[-1, 2]]));
    await call(worker, `/v1/models/${name}:predict`, jsonRequest({ instances: [[5, 1]] }));
    // x = (y − 1) · 4 / 2 + 5 = 2 y + 3 in the first channel, and y in the second.
    const inputs = [[9, 4], [5, 0], [1, 2], [13, 1]]; // oxfmt-ignore
    const sum = (of: (value: number) => number) =>
      [0, 1].map((c) => inputs.reduce((all, x) => all + of(x[c] ?? NaN), 0));
    expect(await windowsOf(name)).toEqual([
      {
        start: noon,
        samples: 4,
        layers: { norm: { mean: sum((x) => x), square: sum((x) => x * x), meanSquare: sum((x) => x * x) } },
        columns: {},
        classes: { no: 2, yes: 2 },
      },
    ]);
  });

  it('of several places is the mean of the squares, and the square of the mean', async () => {
    const name = ownName();
    const monitor = { layers: [{ name: 'norm', of: 'input', hasPlaces: true }], columns: [] } as const;
    const moments = { dtype: 'float32', shape: [1, 4], data: Float32Array.of(2, -3, 10, 9) } as const;
    const scores = { dtype: 'float32', shape: [1, 2], data: Float32Array.of(1, 0) } as const;
    const image = imageOf(echo(name, { monitor, watched: () => ({ y: scores, 'bn-edge/moments': moments }) }));
    await call(workerOf(image, eager({ now: noon })), infer(name), samples([[0, 0]]));
    const [window] = await windowsOf(name);
    expect(window?.layers).toEqual({ norm: { mean: [2, -3], square: [10, 9], meanSquare: [4, 9] } });
  });

  it('are the columns of rows: gaps, what is out of range or unseen, and the bins of training', async () => {
    const name = ownName();
    const columns: readonly Column[] = [
      { kind: 'numeric', name: 'age', range: [10, 50], fill: 0 },
      { kind: 'categorical', name: 'plan', categories: ['free', 'paid'], fill: 0 },
    ];
    const reference = { name: 'age', samples: 9, missing: 0, edges: [20, 30], shares: [0.2, 0.3, 0.5] };
    const watched = () => ({ y: { dtype: 'float32', shape: [5, 2], data: new Float32Array(10) } as const });
    const image = imageOf(
      echo(name, { watched, columns, monitor: { layers: [], columns: [reference] }, unknown: 'fill' }),
    );
    const worker = workerOf(image, eager({ now: noon }));
    const instances = [
      { age: 10, plan: 'free' },
      { age: 20, plan: 'paid' },
      { age: 51, plan: 'trial' },
      { age: null, plan: 'free' },
      { age: 29, plan: null },
    ];
    expect(await call(worker, `/v1/models/${name}:predict`, jsonRequest({ instances }))).toMatchObject({ status: 200 });
    const [window] = await windowsOf(name);
    expect(window?.columns).toEqual({
      age: { missing: 1, outOfRange: 1, counts: [1, 2, 1] },
      plan: { missing: 1, outOfRange: 1, counts: [2, 1, 1] },
    });
  });

  it.each<[what: string, row: readonly (number | string)[]]>([
    ['what is no number', ['NaN', 1]],
    ['what overflows', ['Infinity', 1]],
  ])('leaves out a sample with %s', async (_, row) => {
    const name = ownName();
    const worker = workerOf(imageOf(echo(name)), eager({ now: noon }));
    const data = [...row, 1, 2];
    await call(worker, infer(name), jsonRequest({ inputs: [{ name: 'x', datatype: 'FP32', shape: [2, 2], data }] }));
    expect(await windowsOf(name)).toMatchObject([
      { samples: 1, layers: { norm: { mean: [5, 2] } }, classes: { yes: 1 } },
    ]);
  });

  it('is none of a request that is refused, or normalizes with the mini-batch', async () => {
    const name = ownName();
    const worker = workerOf(imageOf(echo(name, { explain: true })), eager({ now: noon }));
    expect(await call(worker, infer(name), samples([[1, 2, 3]]))).toMatchObject({ status: 400 });
    expect(await call(worker, infer(name), samples([[1, 2]], { parameters: { statistics: 'batch' } }))).toMatchObject({ status: 200 }); // oxfmt-ignore
    expect(await windowsOf(name)).toEqual([]);
  });
});

describe('windows', () => {
  it.each<[what: string, times: readonly number[], windows: readonly (readonly [number, number])[]]>([
    ['are of an hour', [noon, noon + HOUR - 1, noon + HOUR], [[noon, 2], [noon + HOUR, 1]]], // oxfmt-ignore
    ['take a clock that goes back', [noon + HOUR, noon - 1, noon + HOUR], [[noon - HOUR, 1], [noon + HOUR, 2]]], // oxfmt-ignore
    ['take a clock that jumps', [noon, noon + 9e6 * HOUR, noon], [[noon, 2], [noon + 9e6 * HOUR, 1]]], // oxfmt-ignore
  ])('%s', async (_, times, windows) => {
    const name = ownName();
    const clock = { now: 0 };
    const worker = workerOf(imageOf(echo(name)), eager(clock));
    for (const now of times) {
      clock.now = now;
      await call(worker, infer(name), samples([[1, 2]]));
    }
    const got = await windowsOf(name);
    expect(got.map(({ start, samples: count }) => [start, count])).toEqual(windows);
  });

  it('of two isolates at once are added up exactly', async () => {
    const name = ownName();
    const isolates = [0, 1].map(() => workerOf(imageOf(echo(name)), eager({ now: noon })));
    await Promise.all(
      Array.from(
        { length: 60 },
        (_, i) =>
        call(isolates[i % 2] ?? createWorker(imageOf()), infer(name), samples([[i, 1], [0, 2]])), // oxfmt-ignore
      ),
    );
    // x = 2 y + 3 of 0 to 59, and of 60 zeros.
    const mean = [2 * (59 * 30) + 3 * 120, 60 * 1 + 60 * 2];
    expect(await windowsOf(name)).toMatchObject([{ samples: 120, layers: { norm: { mean } } }]);
  });

  it('are kept by version, and between given times', async () => {
    const name = ownName();
    for (const [version, start] of [
      ['1', 0],
      ['1', HOUR],
      ['2', HOUR],
      ['1', 2 * HOUR],
    ] as const)
      // oxfmt-ignore
      await stubOf(name).add([{ version, start, samples: 1, parts: [] }]);
    const starts = async (query: object) => (await windowsOf(name, query)).map(({ start }) => start);
    expect(await starts({ from: HOUR, to: 2 * HOUR })).toEqual([HOUR]);
    expect(await starts({ version: '2' })).toEqual([HOUR]);
    expect(await starts({ version: '3' })).toEqual([]);
  });

  it('are those of the last 31 days', async () => {
    const name = ownName();
    const all = Array.from({ length: 31 * 24 + 5 }, (_, i) => ({
      version: '1',
      start: i * HOUR,
      samples: 1,
      parts: [{ kind: 'class', name: 'no', numbers: Float64Array.of(1) }] as const,
    }));
    await stubOf(name).add(all);
    const windows = await windowsOf(name);
    expect([windows.length, windows[0]?.start]).toEqual([31 * 24, 5 * HOUR]);
  });

  it('begin anew where another model has come under the same version', async () => {
    const name = ownName();
    const add = (...numbers: readonly number[]) =>
      stubOf(name).add([
        {
          version: '1',
          start: 0,
          samples: 2,
          parts: [{ kind: 'layer', name: 'a', numbers: Float64Array.from(numbers) }],
        },
      ]);
    await add(1, 2, 3);
    await add(1, 2, 3, 4, 5, 6);
    expect(await windowsOf(name)).toMatchObject([{ samples: 2, layers: { a: { mean: [1, 2], meanSquare: [5, 6] } } }]);
  });
});

describe('a model that is replaced under its version', () => {
  const norm = { ...layer, gamma: [2, 1], beta: [1, 0], runningMean: [5, 0], runningVar: [16, 1], epsilon: 0 };
  const report = async (worker: WorkerHandler, name: string): Promise<unknown> =>
    JSON.parse((await call(worker, `/v2/models/${name}/drift`, {})).body);

  it('begins anew, though its layers are as wide', async () => {
    const name = ownName();
    const clock = { now: Date.now() - HOUR };
    const former = workerOf(imageOf(echo(name, { batchNorm: [norm] })), eager(clock));
    await call(former, infer(name), samples([[1, 2], [3, 4]])); // oxfmt-ignore
    expect(await report(former, name)).toMatchObject({ trend: [{ samples: 2 }] });
    await stubOf(name).recordVerdict('1', true);

    const later = workerOf(imageOf(echo(name, { batchNorm: [{ ...norm, runningMean: [6, 0] }] })), eager(clock));
    expect(await report(later, name)).toMatchObject({ window: null, trend: [] });
    clock.now += HOUR;
    await call(later, infer(name), samples([[1, 2]]));
    expect(await report(later, name)).toMatchObject({ trend: [{ samples: 1 }] });
    expect(await stubOf(name).recordVerdict('1', false)).toBe(false);
  });

  it('goes on where it is the same one, and beside other versions', async () => {
    const name = ownName();
    const clock = { now: Date.now() };
    await stubOf(name).add([{ version: '0', start: 0, samples: 7, parts: [] }], 'another');
    for (let i = 0; i < 2; i++) {
      const isolate = workerOf(imageOf(echo(name, { batchNorm: [norm] })), eager(clock));
      await call(isolate, infer(name), samples([[1, 2]]));
    }
    expect((await windowsOf(name)).map((window) => window.samples)).toEqual([2]);
    expect((await windowsOf(name, { version: '0' })).map((window) => window.samples)).toEqual([7]);
  });
});

describe('an isolate', () => {
  it('counts the other models where the storage of one fails, and says of which', async () => {
    const [bad, good] = [ownName(), ownName()];
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const wait = (ms: number): Promise<unknown> => (ms === 0 ? Promise.resolve() : promise);
    const worker = workerOf(imageOf(echo(bad), echo(good)), eager({ now: noon }, { flushMs: 1000, wait }));
    const fail = (): never => {
      throw new Error('disk is full');
    };
    const get = (id: unknown): unknown => (id === bad ? { add: fail } : stubOf(good));
    const bindings = { DRIFT: { idFromName: (name: string) => name, get } };
    const asked = [bad, good].map((name) => call(worker, infer(name), samples([[1, 2]]), bindings));
    // One of the two is counted and leaves it to the other, which waits, to send both.
    await Promise.race(asked);
    resolve(undefined);
    await Promise.all(asked);
    expect(await windowsOf(good)).toMatchObject([{ samples: 1 }]);
    expect(warn.mock.calls).toEqual([[expect.stringMatching(new RegExp(`^monitor: ${bad}: disk is full`))]]);
  });

  it('counts one request in so many, and one after a while', async () => {
    const name = ownName();
    const clock = { now: noon };
    const worker = workerOf(imageOf(echo(name)), eager(clock, { every: 10, atLeastEveryMs: 1000 }));
    for (let i = 0; i < 25; i++) await call(worker, infer(name), samples([[i, 0]]));
    clock.now += 1000;
    for (let i = 25; i < 28; i++) await call(worker, infer(name), samples([[i, 0]]));
    // Requests 0, 10, 20 and 25; x = 2 y + 3.
    expect(await windowsOf(name)).toMatchObject([{ samples: 4, layers: { norm: { mean: [2 * 55 + 4 * 3, 0] } } }]);
  });

  it('sends together what several requests have left, and takes what it has not sent with it', async () => {
    const name = ownName();
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const wait = vi.fn<(ms: number) => Promise<unknown>>((ms) => (ms === 0 ? Promise.resolve() : promise));
    const worker = workerOf(imageOf(echo(name)), eager({ now: noon }, { flushMs: 1000, flushSamples: 100, wait }));
    const sent = vi.fn<(sums: readonly unknown[]) => Promise<readonly unknown[]>>(() => Promise.resolve([]));
    const bindings = { DRIFT: { idFromName: () => name, get: () => ({ add: sent }) } };
    const first = call(worker, infer(name), samples([[1, 2]]), bindings);
    await vi.waitFor(() => {
      expect(wait).toHaveBeenCalledWith(1000);
    });
    await call(worker, infer(name), samples([[1, 2], [3, 4]]), bindings); // oxfmt-ignore
    expect(sent).not.toHaveBeenCalled();
    resolve(undefined);
    await first;
    expect(sent.mock.calls.map(([sums]) => sums)).toMatchObject([[{ start: noon, samples: 3 }]]);
    await call(worker, infer(name), samples(Array.from({ length: 100 }, () => [0, 1])), bindings);
    expect(sent.mock.calls.at(-1)?.[0]).toMatchObject([{ samples: 100 }]);
  });
});

describe('answers', () => {
  const bytes = new TextEncoder().encode(
    '{"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"parameters":{"binary_data_size":8}}]}',
  );
  const asBytes = (): RequestInit => ({
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream', 'inference-header-content-length': String(bytes.length) },
    body: new Uint8Array([...bytes, ...new Uint8Array(Float32Array.of(0.1, 7).buffer)]),
  });

  it.each<[what: string, bindings: (failure: () => never) => object, told: RegExp]>([
    ['without the binding', () => ({}), /expected the binding DRIFT .*bn-edge init --monitor/],
    ['with another kind of binding', () => ({ DRIFT: 'drift' }), /expected the binding DRIFT/],
    [
      'where the storage fails',
      (fail) => ({ DRIFT: { idFromName: () => 1, get: () => ({ add: fail }) } }),
      /disk is full/,
    ],
  ])('%s are the same, and one line tells it', async (_, bindings, told) => {
    const name = ownName();
    const image = imageOf(echo(name));
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    const failing = bindings(() => {
      throw new Error('disk is full');
    });
    const [plain, watching] = [createWorker(image), workerOf(image, eager({ now: noon }))];
    for (const init of [() => samples([[1, 2]]), asBytes, () => samples([[0.1, 3]])])
      expect(await call(watching, infer(name), init(), failing)).toEqual(await call(plain, infer(name), init(), {}));
    warn.mockClear();
    const fresh = workerOf(image, eager({ now: noon }));
    for (let i = 0; i < 3; i++) await call(fresh, infer(name), samples([[1, i]]), failing);
    expect(warn.mock.calls).toEqual([[expect.stringMatching(told)]]);
  });

  it('are counted by their bytes, which the Worker has given back by then', async () => {
    const name = ownName();
    const worker = workerOf(imageOf(echo(name)), eager({ now: noon }));
    expect(await call(worker, infer(name), asBytes())).toMatchObject({ status: 200 });
    expect(await windowsOf(name)).toMatchObject([
      { samples: 1, layers: { norm: { mean: [2 * Math.fround(0.1) + 3, 7] } }, classes: { yes: 1 } },
    ]);
  });

  it('stay where the watched run fails', async () => {
    const name = ownName();
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    const watched = (): never => {
      throw new Error('out of memory');
    };
    const worker = workerOf(imageOf(echo(name, { watched })), eager({ now: noon }));
    for (let i = 0; i < 2; i++)
      expect(await call(worker, infer(name), samples([[1, 2]]))).toMatchObject({ status: 200 });
    expect(warn.mock.calls).toEqual([[expect.stringMatching(/out of memory; answers are not counted/)]]);
  });

  it('of models that are not monitored are not looked at', async () => {
    const watch = vi.fn<() => () => void>(() => () => undefined);
    const { monitor: _, ...plain } = echo('plain');
    const worker = createWorker(imageOf(plain), { monitor: { ...createMonitor(), watch } });
    expect(await call(worker, infer('plain'), samples([[1, 2]]))).toMatchObject({ status: 200 });
    expect(watch).not.toHaveBeenCalled();
  });

  it('of a Worker that monitors none tell it once, in the log', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    const worker = createWorker(imageOf(echo('alone')));
    for (let i = 0; i < 2; i++)
      expect(await call(worker, infer('alone'), samples([[1, 2]]))).toMatchObject({ status: 200 });
    expect(warn.mock.calls).toEqual([[expect.stringMatching(/^monitor: alone: expected a Worker that monitors/)]]);
  });
});

it.each<[MonitorOptions, string]>([
  [{ every: 0 }, 'every: expected a number from 1 on, got 0'],
  [{ every: NaN }, 'every: expected a number from 1 on, got NaN'],
  [{ flushSamples: '9' as never }, 'flushSamples: expected a number from 1 on, got a string'],
  [{ flushMs: 60_000 }, 'flushMs: expected a number from 0 to 25000, got 60000'],
])('is made of numbers that make sense: %o', (options, error) => {
  expect(() => createMonitor(options)).toThrow(new TypeError(`createMonitor: ${error}`));
});

it('is refused as an option that is none', () => {
  expect(() => createWorker(imageOf(), { monitor: true as never })).toThrow(/^monitor: expected that of bn-edge\/worker\/drift, got true$/); // oxfmt-ignore
});
