/**
 * `why` explains a row's answer: its contributions match a formula known in advance, and its flips change the answer.
 */
import { describe, expect, it } from 'vitest';
import { type Column, createWorker, type Session } from '../../worker/create-worker.ts';
import { contributionsOf } from '../../worker/why/shapley.ts';
import { ask, type Echo, imageOf, jsonRequest } from './images.ts';

const columns: readonly Column[] = [
  { kind: 'categorical', name: 'plan', categories: ['Free', 'Pro'], typical: 'Free', fill: null },
  { kind: 'numeric', name: 'seats', range: [1, 100], typical: 10, fill: 5 },
  { kind: 'date', name: 'since', parts: ['year'], order: 'YMD', years: [2019, 2024], range: ['2019-01-01', '2024-12-31'], typical: '2021-06-01', fill: null }, // oxfmt-ignore
];
const typical = { plan: 'Free', seats: 10, since: '2021-06-01' };

const answering =
  (answer: (plan: number, seats: number, year: number) => readonly number[]): Session['run'] =>
  ({ x }, names = ['y']) => {
    const rows = x?.shape[0] ?? 0;
    const values = x?.data as Float32Array;
    const all = Array.from({ length: rows }, (_, i) =>
      answer(...(values.slice(3 * i, 3 * i + 3) as unknown as [number, number, number])),
    );
    const data = Float32Array.from(all.flat());
    return Object.fromEntries(
      names.map((name) => [name, { dtype: 'float32', shape: [rows, data.length / rows], data }]),
    );
  };

interface Explained {
  readonly of?: string;
  readonly score: number;
  readonly base: number;
  readonly contributions: Readonly<Record<string, number>>;
  readonly exact: boolean;
  readonly flips?: readonly {
    readonly column: string;
    readonly value: unknown;
    readonly label: string;
    readonly probability: number;
  }[];
  readonly rows: number;
}

const send = (echo: Partial<Echo>, row: object, query = '', init: RequestInit = {}) =>
  ask(createWorker(imageOf({ name: 'm', shape: ['N', 3], columns, ...echo })), `/v1/models/m:predict${query}`, {
    ...jsonRequest({ instances: [row], parameters: { explain: true } }),
    ...init,
  });

async function explained(echo: Partial<Echo>, row: object): Promise<Explained> {
  const { status, body } = await send(echo, row);
  expect([status, body]).toMatchObject([200, { predictions: [{ explanation: {} }] }]);
  return (body as { predictions: [{ explanation: Explained }] }).predictions[0].explanation;
}

const total = ({ contributions }: Explained): number => Object.values(contributions).reduce((a, b) => a + b, 0);

describe('what the columns contribute', () => {
  const number = {
    kind: 'number',
    run: answering((plan, seats, year) => [100 * plan + 3 * seats + plan * seats + (year - 2021)]),
  } as const;

  it('is what each adds, and half of what two add together', async () => {
    const answer = await explained(number, { plan: 'Pro', seats: 20, since: '2023-01-01' });
    // 3 · 10 from seats and 100 from plan. Plan · seats rises from 0 to 20: by 10 from plan alone, and by 10 more from
    // both changes together, half of which each gets.
    expect(answer).toMatchObject({ score: 182, base: 30, exact: true });
    expect(answer.contributions).toEqual({ plan: 115, seats: 35, since: 2 });
    expect(answer.base + total(answer)).toBeCloseTo(answer.score, 4);
    expect(answer.of).toBeUndefined();
    // The row, the typical row, and all subsets of three changes.
    expect(answer.rows).toBe(2 + 8);
  });

  it('is nothing for the typical row', async () => {
    const answer = await explained(number, typical);
    expect(answer).toEqual({
      score: 30,
      base: 30,
      contributions: { plan: 0, seats: 0, since: 0 },
      exact: true,
      rows: 3,
    });
  });

  it('counts a gap as the model does', async () => {
    const filling = {
      ...number,
      run: answering((plan, seats, year) => [Number.isNaN(seats) ? 5 : seats + plan + year - 2021]),
    };
    const answer = await explained(filling, { plan: 'Free', seats: null, since: '2021-06-01' });
    expect(answer.contributions).toEqual({ plan: 0, seats: -5, since: 0 });
  });

  it.each(['logits', 'probabilities', 'multi-label'] as const)(
    'adds up to the probability of the answer: %s',
    async (kind) => {
      const share = (plan: number, seats: number) => Math.min(0.1 + 0.5 * plan + 0.003 * seats, 1);
      const run = answering((plan, seats) =>
        kind === 'logits' ? [0, seats - 15 + plan] : [1 - share(plan, seats), share(plan, seats)],
      );
      const answer = await explained({ kind, labels: ['no', 'yes'], run }, { ...typical, plan: 'Pro', seats: 90 });
      expect(answer.of).toBe('yes');
      expect(answer.base + total(answer)).toBeCloseTo(answer.score, 5);
    },
  );

  it.each([9, 12, 40])('adds up whatever the orders of %i columns that are counted, and errs little', (n) => {
    let asked = 0;
    const f = (made: Uint8Array) =>
      made.reduce((sum, one, i) => sum + one * (i + 1), 0) + (made[0] ?? 0) * (made[1] ?? 0) * 6;
    const { values, isExact } = contributionsOf(n, (sets) => {
      asked += sets.length;
      return sets.map(f);
    });
    expect(isExact).toBe(false);
    expect(values.reduce((a, b) => a + b, 0)).toBeCloseTo((n * (n + 1)) / 2 + 6, 9);
    // Each order and its reverse give the two columns half of what they add together.
    expect([values[0], values[1], values[2]].map((value) => value?.toFixed(9))).toEqual([
      '4.000000000',
      '5.000000000',
      '3.000000000',
    ]);
    expect(asked).toBeLessThanOrEqual(520);
  });
});

describe('the nearest values that change the answer', () => {
  const run = answering((plan, seats, year) => [0, plan + 0.1 * (seats - 40) + (year > 2022 ? 10 : 0)]);
  const churn = { kind: 'logits', labels: ['no', 'yes'], run } as const;

  it('are told nearest first, each with the answer that it gives', async () => {
    const { flips = [], rows } = await explained(churn, { ...typical, seats: 35 });
    expect(flips.map(({ column, value, label }) => [column, value, label])).toEqual([
      ['seats', 41, 'yes'],
      ['since', expect.stringMatching(/^2023-0/), 'yes'],
      ['plan', 'Pro', 'yes'],
    ]); // oxfmt-ignore
    expect(rows).toBeLessThan(600);
    for (const { column, value, label, probability } of flips) {
      const { body } = await send(churn, { ...typical, seats: 35, [column]: value });
      const [answer] = (body as { predictions: [{ label: string; probability: number }] }).predictions;
      expect([answer.label, answer.probability]).toEqual([label, probability]);
    }
  });

  it('are narrowed down also from one end of the range to the other', async () => {
    const atTheEnd = answering((_plan, seats) => [0, seats - 97]);
    const { flips = [] } = await explained({ ...churn, run: atTheEnd }, { ...typical, seats: 1 });
    expect(flips.map(({ column, value }) => [column, value])).toEqual([['seats', 98]]);
  });

  it('are left out where no value of one column changes it', async () => {
    const answer = await explained({ ...churn, run: answering(() => [1, 0]) }, typical);
    expect(answer.flips).toBeUndefined();
  });
});

describe('an explanation that cannot be given is refused', () => {
  const run = answering(() => [1, 2]);
  it.each<[string, Partial<Echo>, number, RegExp]>([
    [
      'several numbers',
      { kind: 'number', run },
      404,
      /^explain: expected a model that scores each row by itself, m answers several numbers$/,
    ],
    ['a class without scores', { kind: 'class', run: answering(() => [1]) }, 404, /m answers no scores$/],
    ['a fixed number of rows', { kind: 'number', shape: [1, 3], run }, 404, /m takes a fixed number of rows$/],
    [
      'a card from before',
      { kind: 'number', columns: columns.map(({ typical: _, ...column }) => column as Column) },
      404,
      /^explain: expected a typical value of "plan", got none/,
    ],
  ])('%s', async (_, echo, status, error) => {
    const { status: got, body } = await send(echo, typical);
    expect([got, body]).toEqual([status, { error: expect.stringMatching(error) as unknown }]);
  });

  it('and the metadata tell beforehand whether there is one', async () => {
    const told = async (echo: Partial<Echo>, explain = true): Promise<unknown> => {
      const image = imageOf({ name: 'm', shape: ['N', 3], columns, kind: 'number', ...echo });
      const { body } = await ask(createWorker(image, { explain }), '/v2/models/m');
      return (body as { parameters: { explains_rows?: true } }).parameters.explains_rows;
    };
    expect(await told({})).toBe(true);
    expect(await told({ kind: 'class' })).toBeUndefined();
    expect(await told({ shape: [1, 3] })).toBeUndefined();
    expect(await told({ columns: columns.map(({ typical: _, ...column }) => column as Column) })).toBeUndefined();
    expect(await told({}, false)).toBeUndefined();
  });

  it('for more than 16 rows, for CSV, and by a Worker that does not explain', async () => {
    const image = imageOf({ name: 'm', kind: 'number', shape: ['N', 3], columns, run: answering((plan) => [plan]) });
    const many = jsonRequest({ instances: Array.from({ length: 17 }, () => typical), parameters: { explain: true } });
    const path = '/v1/models/m:predict';
    expect((await ask(createWorker(image), path, many)).body).toEqual({
      error: 'explain: expected at most 16 rows, got 17',
    });
    const one = jsonRequest([typical]);
    const csv = { ...one, headers: { 'content-type': 'application/json', accept: 'text/csv' } };
    expect((await ask(createWorker(image), `${path}?explain=true`, csv)).status).toBe(400);
    expect((await ask(createWorker(image, { explain: false }), `${path}?explain=true`, one)).status).toBe(404);
    expect((await ask(createWorker(image), `${path}?explain=true`, one)).status).toBe(200);
  });
});
