/**
 * Measures rows by name beside their tensor: a model of 20 columns, half of them categories, in a Worker of its own.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rowsOfTwenty } from '../../edge/fixtures.ts';
import { bundleOf } from './bundle.ts';
import type { HttpRequest } from './load.ts';

const MODEL = 'table';
const COLUMNS = 20;
export const BATCH = 256;

const categories = Array.from({ length: 12 }, (_, i) => `category ${i}`);
const isNumber = (column: number): boolean => column % 2 === 0;
const nameOf = (column: number): string => `column_${column}`;

/** Bundles a Worker of this model only. */
export const buildRowsBundle = (): Promise<string> => bundleOf('rows', writeTable);

function writeTable(models: string): void {
  const model = join(models, MODEL);
  mkdirSync(model, { recursive: true });
  const columns = Array.from({ length: COLUMNS }, (_, i) =>
    isNumber(i)
      ? { kind: 'numeric', name: nameOf(i), range: [0, 1000], typical: 500, fill: 500 }
      : { kind: 'categorical', name: nameOf(i), categories, typical: categories[0], fill: null },
  );
  const inputs = [{ name: 'features', datatype: 'FP32', shape: [-1, COLUMNS], columns }];
  const card = { version: '1', labels: ['no', 'yes'], output: { name: 'logits', kind: 'logits' }, inputs };
  writeFileSync(join(model, 'model.onnx'), rowsOfTwenty());
  writeFileSync(join(model, 'card.json'), JSON.stringify(card));
}

const cellOf = (row: number, column: number): number | string =>
  isNumber(column)
    ? ((row * 37 + column * 11) % 1000) + 0.5
    : (categories[(row * 7 + column) % categories.length] ?? '');

const indexOf = (cell: number | string): number => (typeof cell === 'number' ? cell : categories.indexOf(cell));

/** Returns the same rows by name, and as the tensor that they become. */
export function rowRequests(rows: number): Readonly<Record<'rows' | 'tensor', HttpRequest>> {
  const cells = Array.from({ length: rows }, (_, row) => Array.from({ length: COLUMNS }, (__, i) => cellOf(row, i)));
  const instances = cells.map((row) => Object.fromEntries(row.map((cell, i) => [nameOf(i), cell])));
  const data = cells.flat().map(indexOf);
  const inputs = [{ name: 'features', shape: [rows, COLUMNS], datatype: 'FP32', data }];
  const request = (path: string, value: object): HttpRequest => ({
    path,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify(value)),
  });
  return {
    rows: request(`/v1/models/${MODEL}:predict`, { instances }),
    tensor: request(`/v2/models/${MODEL}/infer`, { inputs }),
  };
}
