/** The Worker answers KServe's V1 protocol: rows in, predictions out. Each model here returns its input. */
import { describe, expect, it } from 'vitest';
import { type Column, createWorker, type Session } from '../../worker/create-worker.ts';
import { ask, type Echo, imageOf, jsonRequest, type Reply, samples } from './images.ts';

const predict = (echo: Omit<Echo, 'name'>, instances: unknown, end = 'm:predict'): Promise<Reply> =>
  ask(createWorker(imageOf({ name: 'm', ...echo })), `/v1/models/${end}`, jsonRequest({ instances }));

describe('the answer is of the kind that the card names', () => {
  const near = (value: number) => expect.closeTo(value, 6) as unknown;
  const third = 1 / (1 + 2 * Math.exp(-1));
  const warnings = ['not a number'];

  it.each<[Echo['kind'] & string, row: readonly unknown[], labels: readonly string[] | undefined, answer: object]>([
    ['number', [41.5], undefined, { value: 41.5 }],
    ['number', [1, 2], undefined, { values: [1, 2] }],
    ['number', [null], undefined, { value: null, warnings }],
    ['number', ['Infinity'], undefined, { value: null, warnings }],
    [
      'logits',
      [0, 1],
      ['no', 'yes'],
      { label: 'yes', probability: near(0.7310586), probabilities: { no: near(0.2689414), yes: near(0.7310586) } },
    ],
    [
      'logits',
      [0, 1, 0],
      undefined,
      {
        label: '1',
        probability: near(third * Math.exp(0)),
        probabilities: { 0: near((1 - third) / 2), 1: near(third), 2: near((1 - third) / 2) },
      },
    ],
    [
      'logits',
      [1],
      ['no', 'yes'],
      { label: 'yes', probability: near(0.7310586), probabilities: { no: near(0.2689414), yes: near(0.7310586) } },
    ],
    ['logits', [null, 1], ['no', 'yes'], { label: null, probability: null, warnings }],
    [
      'probabilities',
      [0.25],
      ['no', 'yes'],
      { label: 'no', probability: 0.75, probabilities: { no: 0.75, yes: 0.25 } },
    ],
    [
      'probabilities',
      [0.5, 0.75],
      ['new', 'paid'],
      { label: 'paid', probability: 0.75, probabilities: { new: 0.5, paid: 0.75 } },
    ],
  ])('%s %o', async (kind, row, labels, answer) => {
    const { status, body } = await predict({ kind, shape: ['N', row.length], ...(labels && { labels }) }, [row]);
    expect([status, body]).toEqual([200, { predictions: [answer] }]);
  });

  it('and no number for rows that the model gives no answer to', async () => {
    const run: Session['run'] = () => ({ y: { dtype: 'float32', shape: [1, 1], data: Float32Array.of(7) } });
    const { body } = await predict({ kind: 'number', shape: ['N', 1], run }, [[1], [2]]);
    expect(body).toEqual({ predictions: [{ value: 7 }, { value: null, warnings }] });
  });

  it.each<[string, Omit<Echo, 'name'>, row: readonly unknown[], answer: object]>([
    [
      'the less probable one, from its threshold on',
      { kind: 'probabilities', labels: ['no', 'yes'], threshold: { yes: 0.25 } },
      [0.75, 0.25],
      { label: 'yes', probability: 0.25, probabilities: { no: 0.75, yes: 0.25 } },
    ],
    [
      'the other one below it, of one number too',
      { kind: 'probabilities', labels: ['no', 'yes'], threshold: { no: 0.875 } },
      [0.25],
      { label: 'yes', probability: 0.25, probabilities: { no: 0.75, yes: 0.25 } },
    ],
    [
      'labels from their own thresholds on, and from half on',
      { kind: 'multi-label', labels: ['cat', 'dog', 'red'], threshold: { cat: 0.125, red: 0.75 } },
      [0.125, 0.5, 0.5],
      { labels: ['cat', 'dog'], probabilities: { cat: 0.125, dog: 0.5, red: 0.5 } },
    ],
    [
      'a number with its interval',
      { kind: 'number', interval: { level: 0.9, halfWidth: 2 } },
      [41.5],
      { value: 41.5, low: 39.5, high: 43.5 },
    ],
    [
      'no number, and none around it',
      { kind: 'number', interval: { level: 0.9, halfWidth: 2 } },
      [null],
      { value: null, low: null, high: null, warnings },
    ],
  ])('as the card reads it: %s', async (_, echo, row, answer) => {
    const { status, body } = await predict({ ...echo, shape: ['N', row.length] }, [row]);
    expect([status, body]).toEqual([200, { predictions: [answer] }]);
  });

  it('the interval stands in a table beside the value', async () => {
    const image = imageOf({ name: 'm', kind: 'number', shape: ['N', 1], interval: { level: 0.9, halfWidth: 2 } });
    const init = jsonRequest({ instances: [[1], [null]] });
    const headers = { 'content-type': 'application/json', accept: 'text/csv' };
    const { text } = await ask(createWorker(image), '/v1/models/m:predict', { ...init, headers });
    expect(text.split('\r\n')).toEqual(['value,low,high,warnings', '1,-1,3,', ',,,not a number', '']);
  });

  it('a model that does not say its kind is asked for it', async () => {
    const { status, body } = await predict({}, [[1, 2]]);
    expect([status, body]).toEqual([
      404,
      {
        error: expect.stringMatching(
          /^predict: expected a model that says what its output is, .*models\/m\/card\.json/,
        ) as unknown,
      },
    ]);
  });
});

describe('what only other ways can answer is said', () => {
  it('for a model with two inputs', async () => {
    const image = imageOf({ name: 'm', kind: 'number', shape: ['N', 2] });
    const sessions = new Map(
      [...image.sessions].map(([path, session]) => {
        const [x] = session.inputs;
        return [path, { ...session, inputs: x ? [x, { ...x, name: 'z' }] : [] }];
      }),
    );
    const worker = createWorker({ ...image, sessions });
    expect(await ask(worker, '/v1/models/m:predict', jsonRequest({ instances: [[1, 2]] }))).toMatchObject({
      status: 404,
      body: { error: 'predict: expected a model with one input, m has others: use infer' },
    });
  });

  it('for an answer of more than one axis', async () => {
    const run: Session['run'] = () => ({ y: { dtype: 'float32', shape: [1, 2, 2], data: new Float32Array(4) } });
    expect(await predict({ kind: 'number', shape: ['N', 2], run }, [[1, 2]])).toMatchObject({
      status: 404,
      body: { error: 'predict: expected an output of shape [-1, classes], got [1, 2, 2] of m: use infer' },
    });
  });

  it('for an explanation of what has no columns', async () => {
    const worker = createWorker(imageOf({ name: 'm', kind: 'number', shape: ['N', 2] }), { explain: true });
    const request = jsonRequest({ instances: [[1, 2]], parameters: { explain: true } });
    expect(await ask(worker, '/v1/models/m:predict', request)).toMatchObject({
      status: 404,
      body: { error: 'explain: expected a model whose card names its columns, got m' },
    });
  });

  it('classes carry the request’s name, and as many as it asks for', async () => {
    const worker = createWorker(imageOf({ name: 'm', kind: 'logits', shape: ['N', 3] }));
    const request = { ...samples([[0, 2, 1]], { id: 'a', parameters: { top_k: 2 } }) };
    const { body } = await ask(worker, '/v2/models/m/classify', request);
    expect(body).toMatchObject({ id: 'a', predictions: [{ label: '1', top: [{ label: '1' }, { label: '2' }] }] });
  });

  it('classes carry no name that the request does not give', async () => {
    const worker = createWorker(imageOf({ name: 'm', kind: 'logits', shape: ['N', 3] }));
    expect((await ask(worker, '/v2/models/m/classify', samples([[0, 2, 1]]))).body).not.toHaveProperty('id');
  });
});

describe('arrays of any depth are samples of tensors', () => {
  const sum: Session['run'] = ({ x }) => {
    const [batch = 0] = x?.shape ?? [];
    const values = Float32Array.from(x?.data as ArrayLike<number>);
    const size = values.length / batch;
    const data = Float32Array.from({ length: batch }, (_, i) =>
      values.slice(i * size, (i + 1) * size).reduce((a, b) => a + b, 0),
    );
    return { y: { dtype: 'float32', shape: [batch, 1], data } };
  };
  const echo = { kind: 'number', shape: ['N', 2, 2], run: sum } as const;

  it('of the shape that the model takes', async () => {
    expect((await predict(echo, [[[1, 2], [3, 4]], [[0, 0], [0, 5]]])).body).toEqual({ predictions: [{ value: 10 }, { value: 5 }] }); // oxfmt-ignore
  });

  it.each<[instances: unknown, status: number, error: RegExp]>([
    [[[1, 2]], 400, /^tensor x: expected shape \[-1, 2, 2\], got \[1, 2\]$/],
    [[[[1, 2], [3]]], 400, /^tensor x: expected an array of 2 at data\[0\]\[1\], got an array of 1$/],
    [
      [{ a: 1 }],
      422,
      /^instances\[0\]: expected numbers, as the card names no columns of x, got an object: use \/v2\/models\/m\/infer$/,
    ],
    [[null], 400, /^tensor x: expected /],
    [[], 400, /^instances: expected an array of at least one row, got an array of 0$/],
    [7, 400, /^instances: expected an array of at least one row, got 7$/],
    [Array.from({ length: 257 }, () => [[1, 2], [3, 4]]), 413, /^body: expected at most 256 rows \(MAX_BATCH\), got 257$/], // oxfmt-ignore
  ])('and nothing else: case %#', async (instances, status, error) => {
    const { status: got, body } = await predict(echo, instances);
    expect([got, body]).toEqual([status, { error: expect.stringMatching(error) as unknown }]);
  });
});

describe('rows of a table', () => {
  const columns: readonly Column[] = [
    { kind: 'categorical', name: 'plan', categories: ['Free', 'Pro'], fill: null },
    { kind: 'numeric', name: 'seats', fill: 3, missing: 'median' },
    { kind: 'date', name: 'since', parts: ['year'], order: 'YMD', years: [2019, 2024], fill: null },
  ];
  const echo = { kind: 'number', shape: ['N', 3], columns } as const;

  it.each<[row: unknown, values: readonly number[]]>([
    [{ plan: 'Pro', seats: 7, since: '2021-05-01' }, [1, 7, 2021]],
    [{ since: '2021-05-01', seats: '7', plan: 'Free' }, [0, 7, 2021]],
    [
      ['Pro', 7.5, '2030-01-01'],
      [1, 7.5, 2024],
    ],
  ])('come by name or in order, in their own words: %j', async (row, values) => {
    expect((await predict(echo, [row])).body).toEqual({ predictions: [{ values }] });
  });

  it.each([
    [{ plan: 'Pro', since: '2021-05-01' }],
    [{ plan: 'Pro', seats: null, since: '2021-05-01' }],
    [['Pro', null, '2021-05-01']],
  ])('may lack what was missing in training: %j', async (row) => {
    // NaN reaches the model, which would fill it; this model returns it.
    expect((await predict(echo, [row])).body).toEqual({ predictions: [{ values: null, warnings: ['not a number'] }] });
  });

  const good = { plan: 'Pro', seats: 7, since: '2021-05-01' };

  it.each<[row: unknown, error: string]>([
    [{ ...good, plan: 'Basic' }, 'instances[1], column "plan": expected one of "Free", "Pro", got "Basic"'],
    [{ ...good, plan: 1 }, 'instances[1], column "plan": expected one of "Free", "Pro", got 1'],
    [{ ...good, plan: null }, 'instances[1], column "plan": expected a value (none was missing in training), got null'],
    [
      { seats: 7, since: '2021-05-01' },
      'instances[1], column "plan": expected a value (none was missing in training), got nothing',
    ],
    [
      { ...good, seats: 'many' },
      'instances[1], column "seats": expected a number, or null or "" for a gap, got "many"; unknown=fill counts it as missing',
    ],
    [
      { ...good, since: 'yesterday' },
      'instances[1], column "since": expected a date such as 2024-05-17, got "yesterday"',
    ],
    [
      { ...good, seat: 7 },
      'instances[1]: expected columns "plan", "seats", "since", got "seat" (did you mean "seats"?); unknown=ignore leaves others out',
    ],
    [['Pro', 7], 'instances[1]: expected 3 values, "plan", "seats", "since", got 2'],
    ['Pro', 'instances[1]: expected an object by columns, or an array in their order, got a string'],
    [null, 'instances[1]: expected an object by columns, or an array in their order, got null'],
  ])('are refused by row and column: %j', async (row, error) => {
    const { status, body } = await predict(echo, [good, row]);
    expect([status, body]).toEqual([422, { error }]);
  });
});

describe('the paths', () => {
  const worker = createWorker(imageOf({ name: 'm', kind: 'number', shape: ['N', 1] }), { apiKey: 'open', docs: true });
  const headers = { 'content-type': 'application/json', authorization: 'Bearer open' };
  const body = JSON.stringify({ instances: [[1]] });

  it.each(['m:predict', 'm/versions/1:predict'])('%s answers, with the key', async (end) => {
    expect((await ask(worker, `/v1/models/${end}`, { method: 'POST', body, headers })).body).toEqual({
      predictions: [{ value: 1 }],
    });
    expect((await ask(worker, `/v1/models/${end}`, { method: 'POST', body })).status).toBe(401);
    expect((await ask(worker, `/v1/models/${end}`, { headers })).status).toBe(405);
  });

  it.each(['m', 'm/versions/1'])('%s says that it is ready', async (end) => {
    expect((await ask(worker, `/v1/models/${end}`, { headers })).body).toEqual({ name: 'm', ready: true });
  });

  it('another model is not found', async () => {
    expect((await ask(worker, '/v1/models/other:predict', { method: 'POST', body, headers })).status).toBe(404);
    expect((await ask(worker, '/v1/models/m/versions/2:predict', { method: 'POST', body, headers })).status).toBe(404);
  });
});
