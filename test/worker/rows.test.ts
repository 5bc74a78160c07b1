/** Rows of a table are read by the columns in a model's card. Each model here returns its input. */
import { describe, expect, it } from 'vitest';
import { type Column, createWorker } from '../../worker/create-worker.ts';
import { ask, imageOf, jsonRequest } from './images.ts';

const plan = ['Enterprise', 'Free', 'Pro'];
const many = Array.from({ length: 30 }, (_, i) => `city ${i}`);
const columns: readonly Column[] = [
  { kind: 'categorical', name: 'plan', categories: plan, fill: null },
  { kind: 'numeric', name: 'seats', fill: null },
  { kind: 'categorical', name: 'city', categories: many, fill: 30, missing: 'category' },
  { kind: 'numeric', name: 'age', fill: 40, missing: 'median', indicator: true },
  { kind: 'date', name: 'since', parts: ['year', 'weekday'], order: 'YMD', years: [2019, 2024], fill: 2021 },
];
const row = [1, 3, 29, 41, 2020, 0, 1];

const worker = createWorker(imageOf({ name: 'm', kind: 'logits', shape: ['N', row.length], columns, explain: true }));

type Cell = number | string | null;

const asJson = (rows: readonly (readonly Cell[])[]): RequestInit =>
  jsonRequest({ inputs: [{ name: 'x', datatype: 'FP32', shape: [rows.length, row.length], data: rows.flat() }] });

/** Makes a request of rows as bytes after JSON, or as bytes alone. */
function asBytes(rows: readonly (readonly Cell[])[], isBare: boolean): RequestInit {
  const bytes = new Uint8Array(Float32Array.from(rows.flat(), (cell) => Number(cell ?? NaN)).buffer);
  const parameters = { binary_data_size: bytes.byteLength };
  const inputs = [{ name: 'x', datatype: 'FP32', shape: [rows.length, row.length], parameters }];
  const json = isBare ? new Uint8Array() : new TextEncoder().encode(JSON.stringify({ inputs }));
  const headers = { 'inference-header-content-length': String(json.byteLength) };
  return { method: 'POST', headers, body: Uint8Array.of(...json, ...bytes) };
}

const requestsOf = (rows: readonly (readonly Cell[])[]): readonly RequestInit[] => [
  asJson(rows),
  asBytes(rows, false),
  asBytes(rows, true),
];

const withCell = (column: number, cell: Cell): Cell[] => row.map((value, i) => (i === column ? cell : value));

describe.each(['infer', 'classify', 'explain'])('%s of rows', (route) => {
  const path = `/v2/models/m/${route}`;

  it.each<[column: number, cell: Cell]>([
    [0, 0],
    [0, 2],
    [1, -1e30],
    [2, NaN],
    [2, 0],
    [3, NaN],
    [4, NaN],
    [5, -0.5],
  ])('takes what its column may have: %i %s', async (column, cell) => {
    const json = Number.isNaN(cell) ? [asJson([withCell(column, null)]), asJson([withCell(column, 'NaN')])] : [];
    for (const request of [...json, ...requestsOf([withCell(column, Number.isNaN(cell) ? null : cell)])])
      expect((await ask(worker, path, request)).status).toBe(200);
  });

  const planned = `"plan": expected a category's index, 0 for "Enterprise", 1 for "Free", 2 for "Pro" (none was missing in training)`;
  const anyCity = `"city": expected a category's index, 0 to 29, or "NaN" where it is missing`;
  const anyAge = '"age": expected a finite number, or "NaN" where it is missing';

  it.each<[column: number, cell: Cell, error: string]>([
    [0, 7, `${planned}, got 7`],
    [0, 3, `${planned}, got 3`],
    [0, 0.5, `${planned}, got 0.5`],
    [0, -1, `${planned}, got -1`],
    [0, null, `${planned}, got NaN`],
    [0, 'Infinity', `${planned}, got Infinity`],
    [1, null, '"seats": expected a finite number (none was missing in training), got NaN'],
    [2, 30, `${anyCity}, got 30`],
    [3, '-Infinity', `${anyAge}, got -Infinity`],
    [6, 'Infinity', '"since (weekday, cosine)": expected a finite number, or "NaN" where it is missing, got Infinity'],
  ])('refuses another: %i %s', async (column, cell, error) => {
    for (const request of requestsOf([row, withCell(column, cell)])) {
      const { status, body } = await ask(worker, path, request);
      expect([status, body]).toEqual([422, { error: `tensor x: row 1, column ${error}` }]);
    }
  });
});

it('a model whose card says nothing of columns takes what ONNX takes', async () => {
  const open = createWorker(imageOf({ name: 'm', kind: 'number', shape: ['N', row.length] }));
  const { status, body } = await ask(open, '/v2/models/m/infer', asJson([[7, 0.5, -1, null, 'Infinity', 'NaN', 0]]));
  expect([status, body]).toMatchObject([200, { outputs: [{ data: [7, 0.5, -1, 'NaN', 'Infinity', 'NaN', 0] }] }]);
});
