/** The OpenAPI document describes each model's rows as the Worker accepts them. */
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { Column } from '../../../training/columns/index.ts';
import { createWorker } from '../../../worker/create-worker.ts';
import { ask, imageOf, jsonRequest } from '../../worker/images.ts';

const columns: readonly Column[] = [
  { kind: 'categorical', name: 'plan', categories: ['Free', 'Pro'], typical: 'Pro', fill: null },
  { kind: 'numeric', name: 'seats', range: [1, 120], typical: 37.5, fill: 3, missing: 'median', unit: '$' },
  { kind: 'categorical', name: 'city', categories: ['Bern', 'Rome'], fill: 2, missing: 'category' },
  { kind: 'date', name: 'since', parts: ['year'], order: 'DMY', years: [2019, 2024], fill: null },
];
const table = { shape: ['N', 4], columns } as const;
const run = (value: readonly number[]) => () => ({
  y: { dtype: 'float32' as const, shape: [1, value.length], data: Float32Array.from(value) },
});
const worker = createWorker(
  imageOf(
    { name: 'churn', kind: 'logits', labels: ['no', 'yes'], ...table, run: run([0, 1]) },
    { name: 'price', kind: 'number', ...table, run: run([41.2]) },
    { name: 'prices', kind: 'number', ...table, run: run([41.2, 7]) },
    { name: 'broken', kind: 'logits', labels: ['no', 'yes'], ...table, run: run([NaN, 1]) },
    { name: 'tags', kind: 'multi-label', labels: ['no', 'yes'], ...table, run: run([0.75, 0.5]) },
    { name: 'no-tags', kind: 'multi-label', labels: ['no', 'yes'], ...table, run: run([NaN, 1]) },
    { name: 'no-prices', kind: 'number', ...table, run: run([NaN, 1]) },
    { name: 'tensors', kind: 'logits' },
  ),
  { docs: true },
);

const models = ['churn', 'price', 'prices', 'broken', 'tags', 'no-tags', 'no-prices'];

interface Document {
  readonly paths: Record<string, Record<string, { operationId: string }>>;
  readonly components: { readonly schemas: Record<string, object> };
}
const document = (await ask(worker, '/openapi.json')).body as Document;

/** Returns whether a value matches the document's schema of that name. */
function fits(name: string, value: unknown): boolean {
  const { schemas } = document.components;
  const text = JSON.stringify({ $defs: schemas, ...schemas[name] }).replaceAll('#/components/schemas/', '#/$defs/');
  return z.fromJSONSchema(JSON.parse(text) as Parameters<typeof z.fromJSONSchema>[0]).safeParse(value).success;
}

it('names the path of each model that knows its columns, once', () => {
  const own = Object.keys(document.paths).filter((path) => path.endsWith(':predict') && !path.includes('{'));
  expect(own).toEqual(models.map((name) => `/v1/models/${name}:predict`));
  const ids = Object.values(document.paths).flatMap((path) =>
    Object.values(path).map(({ operationId }) => operationId),
  );
  expect(new Set(ids).size).toBe(ids.length);
});

it('says of each column what it holds', () => {
  expect(document.components.schemas['churn.row']).toEqual({
    type: 'object',
    required: ['plan', 'since'],
    description: expect.stringMatching(/in this order: "plan", "seats", "city", "since"\.$/) as string,
    properties: {
      plan: {
        type: 'string',
        enum: ['Free', 'Pro'],
        description: 'a category; most often "Pro" in training',
        examples: ['Pro'],
      },
      seats: {
        type: ['number', 'null'],
        description: 'a number, in $; from 1 to 120 in training; a missing one counts as 3 (median)',
        examples: [37.5],
      },
      city: {
        type: ['string', 'null'],
        enum: ['Bern', 'Rome', null],
        description: 'a category; a missing one counts as a category of its own',
      },
      since: {
        type: 'string',
        description: 'a date such as 17/05/2024, the numbers in the order DMY; from 2019 to 2024 in training',
      },
    },
  });
});

const row = { plan: 'Pro', seats: 3, city: 'Bern', since: '2020-05-01' };

describe('what the schema takes is answered as the schema says, and what it refuses is refused', () => {
  it.each<[change: object, status: number]>([
    [{}, 200],
    [{ seats: null, city: null }, 200],
    [{ seats: undefined }, 200],
    [{ plan: 'Team' }, 422],
    [{ plan: null }, 422],
    [{ plan: undefined }, 422],
    [{ city: 'Paris' }, 422],
    [{ seats: true }, 422],
    [{ since: 3 }, 422],
  ])('%j', async (change, status) => {
    const instance = JSON.parse(JSON.stringify({ ...row, ...change })) as unknown;
    for (const name of models) {
      expect(fits(`${name}.request`, { instances: [instance] })).toBe(status === 200);
      const reply = await ask(worker, `/v1/models/${name}:predict`, jsonRequest({ instances: [instance] }));
      expect(reply.status).toBe(status);
      if (status !== 200) continue;
      expect(fits(`${name}.response`, reply.body)).toBe(true);
      expect(fits('PredictResponse', reply.body)).toBe(true);
    }
  });

  it('but not the answer of another model', async () => {
    const { body } = await ask(worker, '/v1/models/price:predict', jsonRequest(row));
    expect(fits('churn.response', body)).toBe(false);
    expect(fits('tags.response', (await ask(worker, '/v1/models/churn:predict', jsonRequest(row))).body)).toBe(false);
  });
});

describe('every body that is answered fits the schema of all models, and none other that holds no rows', () => {
  const values = Object.values(row);
  it.each<[body: unknown, status: number, fitting: readonly ('all' | 'own')[]]>([
    [{ instances: [row] }, 200, ['all', 'own']],
    [{ instances: [{ ...row, more: 1 }], parameters: { unknown: 'ignore' } }, 200, ['all', 'own']],
    [{ instances: [row], parameters: null, more: 1 }, 200, ['all', 'own']],
    [{ instances: [row], parameters: { unknown: null, explain: null } }, 200, ['all', 'own']],
    [{ instances: [{ ...row, seats: '1,234.5' }] }, 200, ['all']],
    [{ instances: [{ ...row, city: 'Paris' }], parameters: { unknown: 'fill' } }, 200, ['all']],
    [{ instances: [{ ...row, plan: 'Team' }], parameters: { unknown: 'fill' } }, 422, ['all']],
    [{ instances: [values] }, 200, ['all']],
    [row, 200, ['all']],
    [[row, row], 200, ['all']],
    [values, 200, ['all']],
    [[values, values], 200, ['all']],
    [{ instances: [] }, 400, []],
    [{ instances: row }, 400, []],
    [[], 422, []],
    [7, 422, []],
    [null, 422, []],
  ])('%j', async (body, status, fitting) => {
    const reply = await ask(worker, '/v1/models/churn:predict', jsonRequest(body));
    expect(reply.status).toBe(status);
    expect(fits('PredictRequest', body)).toBe(fitting.includes('all'));
    expect(fits('churn.request', body)).toBe(fitting.includes('own'));
  });

  it('and a column that nobody knows is refused where it is not to be ignored', async () => {
    const reply = await ask(worker, '/v1/models/churn:predict', jsonRequest({ ...row, seat: 1 }));
    expect(reply.status).toBe(422);
  });
});

it('the metadata are what the document says of them', async () => {
  const { body } = await ask(worker, '/v2/models/churn');
  expect(fits('ModelMetadata', body)).toBe(true);
  expect(body).toMatchObject({
    parameters: {
      columns: [{ typical: 'Pro' }, { range: [1, 120], typical: 37.5 }, { name: 'city' }, { name: 'since' }],
    },
  });
  expect(fits('V1Models', (await ask(worker, '/v1/models')).body)).toBe(true);
});
