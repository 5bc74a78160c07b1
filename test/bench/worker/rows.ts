/** What rows by name cost beside their tensor: a model of 20 columns, half of them categories, in a Worker of its own. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildImage } from '../../../exporter/edge/build-image.ts';
import { buildBundle } from '../../bundle/workerd.ts';
import { rowsOfTwenty } from '../../edge/fixtures.ts';
import type { HttpRequest } from './load.ts';

const root = join(import.meta.dirname, '../../..');
/** Under the root, where the bundler finds the package. */
const folder = join(root, '.test', 'bench-rows');
const MODEL = 'table';
const COLUMNS = 20;
export const BATCH = 256;

const categories = Array.from({ length: 12 }, (_, i) => `category ${i}`);
const isNumber = (column: number): boolean => column % 2 === 0;
const nameOf = (column: number): string => `column_${column}`;

/** @returns the folder of the bundle */
export async function buildRowsBundle(): Promise<string> {
  rmSync(folder, { recursive: true, force: true });
  const model = join(folder, 'models', MODEL);
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
  await buildImage({ models: join(folder, 'models'), out: join(folder, 'image') });
  const config = join(folder, 'wrangler.toml');
  writeFileSync(config, 'name = "bn-edge-rows"\nmain = "index.ts"\ncompatibility_date = "2026-04-26"\nminify = true\nsend_metrics = false\n'); // prettier-ignore
  const entry = `import { createWorker } from 'bn-edge/worker';
import image from './image/image.mjs';

export default createWorker(image);
`;
  writeFileSync(join(folder, 'index.ts'), entry);
  return buildBundle(config);
}

const cellOf = (row: number, column: number): number | string =>
  isNumber(column)
    ? ((row * 37 + column * 11) % 1000) + 0.5
    : (categories[(row * 7 + column) % categories.length] ?? '');

const indexOf = (cell: number | string): number => (typeof cell === 'number' ? cell : categories.indexOf(cell));

/** The same rows by name, and as the tensor that they become. */
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
