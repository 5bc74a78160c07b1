/** `classify` reads a model's answer by the kind of its output, and refuses answers that it cannot read. */
import { describe, expect, it } from 'vitest';
import { createWorker, type OutputKind } from '../../worker/create-worker.ts';
import { probabilitiesOf } from '../../worker/predict/kinds.ts';
import { ask, imageOf, jsonRequest, samples, type Echo } from './images.ts';

interface Answer {
  readonly predictions: readonly {
    readonly label: string;
    readonly probability: number;
    readonly top: readonly { readonly label: string; readonly index: number; readonly probability: number }[];
  }[];
}

function classify(echo: Omit<Echo, 'name'>, rows: readonly (readonly number[])[], parameters = {}, more = {}) {
  const worker = createWorker(imageOf({ name: 'echo', ...echo }));
  return ask(worker, '/v2/models/echo/classify', samples(rows, { parameters, ...more }));
}

/** Returns the probabilities of one sample, in the order of the classes. */
async function probabilities(echo: Omit<Echo, 'name'>, row: readonly number[]): Promise<number[]> {
  const { status, body } = await classify(echo, [row], { top_k: 1000 });
  expect([status, body]).toEqual([200, expect.anything()]);
  const [{ top } = { top: [] }] = (body as Answer).predictions;
  return top.toSorted((a, b) => a.index - b.index).map(({ probability }) => probability);
}

const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));

describe('an answer of logits', () => {
  it.each([
    ['several classes', [1, 2, 3], [0.09003057, 0.24472847, 0.66524096]],
    ['two classes, of which one is fixed at 0', [0, 1], [1 - sigmoid(1), sigmoid(1)]],
    // Their sum is 1, so they resemble probabilities.
    ['logits that could pass for probabilities', [0.25, 0.75], [1 - sigmoid(0.5), sigmoid(0.5)]],
    ['logits that are all 0 but one of 1', [0, 0, 1], [0.21194156, 0.21194156, 0.57611688]],
    ['logits beyond what exp can hold', [1000, 999], [sigmoid(1), 1 - sigmoid(1)]],
    ['a lone logit', [2], [1 - sigmoid(2), sigmoid(2)]],
  ])('is made probabilities by softmax: %s', async (_, row, expected) => {
    const actual = await probabilities({ kind: 'logits', shape: ['N', row.length] }, row);
    expect(actual).toHaveLength(expected.length);
    actual.forEach((value, i) => {
      expect(Math.abs(value - (expected[i] ?? NaN))).toBeLessThan(1e-6);
    });
  });
});

it('may be of more classes than a call has arguments', () => {
  const logits = new Array<number>(200_000).fill(0);
  expect(probabilitiesOf.logits?.(logits)).toEqual(logits.map(() => 1 / 200_000));
});

describe('an answer of probabilities', () => {
  it.each([
    ['several classes', [0.125, 0.25, 0.625], [0.125, 0.25, 0.625]],
    ['some that do not add up to 1', [0.5, 0.25], [0.5, 0.25]],
    ['a lone one, of class 1', [0.25], [0.75, 0.25]],
  ])('is taken as it is: %s', async (_, row, expected) => {
    expect(await probabilities({ kind: 'probabilities', shape: ['N', row.length] }, row)).toEqual(expected);
  });

  it('may be one per sample, without a dimension for classes', async () => {
    const echo = { kind: 'probabilities', shape: ['N'], labels: ['no', 'yes'] } as const;
    const worker = createWorker(imageOf({ name: 'echo', ...echo }));
    const { body } = await ask(worker, '/v2/models/echo/classify', {
      ...samples([[0.75], [0.25]]),
      body: JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [2], data: [0.75, 0.25] }] }),
    });
    expect((body as Answer).predictions.map(({ label, probability }) => [label, probability])).toEqual([
      ['yes', 0.75],
      ['no', 0.75],
    ]);
  });
});

it('has a case for every kind: one more does not compile without its own', () => {
  // @ts-expect-error the case of `ranking` is missing
  const cases: { readonly [Kind in OutputKind | 'ranking']: unknown } = probabilitiesOf;
  expect(Object.keys(cases).toSorted()).toEqual(['class', 'logits', 'multi-label', 'number', 'probabilities']);
});

describe('an answer of several labels that do not exclude each other', () => {
  const echo = { kind: 'multi-label', shape: ['N', 3], labels: ['red', 'green', 'blue'] } as const;
  const rows = [
    [0.75, 0.25, 0.5],
    [0.125, 0.25, 0.25],
  ];

  it('names all that apply to classify, each with a probability of its own', async () => {
    const { body } = await classify(echo, rows);
    expect(body).toMatchObject({
      predictions: [
        { labels: ['red', 'blue'], label: 'red', probability: 0.75 },
        { labels: [], label: 'green', probability: 0.25 },
      ],
    });
  });

  it('is a list for predict', async () => {
    const worker = createWorker(imageOf({ name: 'echo', ...echo }));
    const { status, body } = await ask(worker, '/v1/models/echo:predict', jsonRequest({ instances: rows }));
    expect([status, body]).toEqual([
      200,
      {
        predictions: [
          { labels: ['red', 'blue'], probabilities: { red: 0.75, green: 0.25, blue: 0.5 } },
          { labels: [], probabilities: { red: 0.125, green: 0.25, blue: 0.25 } },
        ],
      },
    ]);
  });
});

describe('an answer that is the number of the class', () => {
  const echo = { kind: 'class', shape: ['N', 1] } as const;

  it.each<[what: string, labels: readonly string[] | undefined, value: number, expected: object]>([
    ['its label', ['red', 'green'], 1, { label: 'green' }],
    ['the number where there are no labels', undefined, -1, { label: '-1' }],
    ['the number, with a warning, where it has no label', ['red'], 1, { label: '1', warnings: ['no label for 1'] }],
  ])('is told by classify and predict, without a probability: %s', async (_, labels, value, expected) => {
    const image = { ...echo, ...(labels && { labels }) };
    const answer = { probability: null, ...expected };
    expect((await classify(image, [[value]])).body).toMatchObject({ predictions: [{ ...answer, top: [] }] });
    const worker = createWorker(imageOf({ name: 'echo', ...image }));
    const { body } = await ask(worker, '/v1/models/echo:predict', jsonRequest({ instances: [[value]] }));
    expect(body).toEqual({ predictions: [answer] });
  });
});

describe('outputs that a request names', () => {
  const ask = (outputs: readonly object[]) =>
    classify({ kind: 'probabilities', shape: ['N', 2] }, [[0.25, 0.75]], {}, { outputs });

  it('are the one that classes are read from', async () => {
    expect((await ask([{ name: 'y' }])).status).toBe(200);
    expect(await ask([{ name: 'y' }, { name: 'embedding' }])).toMatchObject({
      status: 400,
      body: { error: 'outputs: expected "y", which the classes are read from, got "embedding": use infer for others' },
    });
  });
});

describe('labels', () => {
  const echo = { kind: 'probabilities', shape: ['N', 3] } as const;

  it.each([
    ['those of the image', { ...echo, labels: ['red', 'green', 'blue'] }, ['green', 'blue', 'red']],
    ['numbers where it has none', echo, ['1', '2', '0']],
    ['numbers for those it lacks', { ...echo, labels: ['red', 'green'] }, ['green', '2', 'red']],
  ])('are %s', async (_, image, expected) => {
    const { body } = await classify(image, [[0.125, 0.5, 0.375]]);
    expect((body as Answer).predictions[0]?.top.map(({ label }) => label)).toEqual(expected);
  });

  it.each([
    [
      [0.5, 0.5, 0],
      ['0', '1', '2'],
    ],
    [
      [0, 0.5, 0.5],
      ['1', '2', '0'],
    ],
    [
      [0.25, 0.5, 0.25],
      ['1', '0', '2'],
    ],
  ])('of equal probability %o come in the order of the classes: %o', async (row, expected) => {
    const { body } = await classify(echo, [row]);
    expect((body as Answer).predictions[0]?.top.map(({ label }) => label)).toEqual(expected);
  });
});

describe('an answer that is no number', () => {
  const nothing = { label: null, probability: null, top: [], warnings: ['not a number'] };

  it.each([
    ['logits', [NaN, 1]],
    ['logits', [1, NaN]],
    ['logits', [Infinity, 1]],
    ['logits', [-Infinity, 1]],
    ['logits', [NaN, NaN]],
    ['logits', [NaN]],
    ['logits', [Infinity]],
    ['probabilities', [NaN, 0.5]],
    ['probabilities', [NaN]],
    ['probabilities', [Infinity]],
  ] as const)('belongs to no class, whatever its neighbours are: %s %o', async (kind, row) => {
    const fine = row.map(() => 0.25);
    const words = [row, fine].map((values) => values.map((value) => (Number.isFinite(value) ? value : String(value))));
    for (const request of [jsonRows(words, row.length), binaryRows([row, fine], row.length)]) {
      const worker = createWorker(imageOf({ name: 'echo', kind, shape: ['N', row.length], labels: ['no', 'yes'] }));
      const { status, body } = await ask(worker, '/v2/models/echo/classify', request);
      const [first, second] = (body as Answer).predictions;
      expect([status, first]).toEqual([200, nothing]);
      expect(second).toMatchObject({
        label: expect.any(String) as unknown,
        probability: expect.any(Number) as unknown,
      });
      expect(second).not.toHaveProperty('warnings');
    }
  });
});

/** Makes a request of rows of `x`, with numbers or words of JSON. */
const jsonRows = (rows: readonly (readonly unknown[])[], width: number): RequestInit =>
  jsonRequest({ inputs: [{ name: 'x', datatype: 'FP32', shape: [rows.length, width], data: rows.flat() }] });

function binaryRows(rows: readonly (readonly number[])[], width: number): RequestInit {
  const bytes = new Uint8Array(Float32Array.from(rows.flat()).buffer);
  const parameters = { binary_data_size: bytes.byteLength };
  const input = { name: 'x', datatype: 'FP32', shape: [rows.length, width], parameters };
  const json = new TextEncoder().encode(JSON.stringify({ inputs: [input] }));
  const headers = { 'inference-header-content-length': String(json.byteLength) };
  return { method: 'POST', headers, body: Uint8Array.of(...json, ...bytes) };
}

describe('what classify does not guess', () => {
  const open = 'classify: expected a model for classes, echo';
  it.each<[what: string, echo: Omit<Echo, 'name'>, status: number, error: string]>([
    [
      'a number',
      { kind: 'number', shape: ['N', 1] },
      404,
      `${open} predicts a number: use predict (POST /v1/models/echo:predict) or infer`,
    ],
    [
      'an output of unknown kind',
      { shape: ['N', 2] },
      404,
      `${open} does not say what its output is: set "output": {"name": …, "kind": "logits", "probabilities" or "class"} in models/echo/card.json and build again`,
    ],
    [
      'a map of classes',
      { kind: 'logits', shape: ['N', 2, 1] },
      404,
      'classify: expected an output of shape [-1, classes], got [1, 2, 1] of echo: use infer',
    ],
  ])('%s', async (_, echo, status, error) => {
    const worker = createWorker(imageOf({ name: 'echo', ...echo }));
    const shape = (echo.shape ?? []).map((size) => (size === 'N' ? 1 : size));
    const data = Array.from({ length: shape.reduce<number>((product, size) => product * Number(size), 1) }, () => 0.5);
    const reply = await ask(worker, '/v2/models/echo/classify', {
      ...samples([]),
      body: JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape, data }] }),
    });
    expect([reply.status, reply.body]).toEqual([status, { error }]);
  });
});
