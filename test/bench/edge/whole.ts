/**
 * The Workers as they are deployed: bundled by Wrangler, with the application around their models, and requested as
 * clients do.
 */

import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { buildBundle } from '../../bundle/workerd.ts';
import type { HttpRequest } from '../worker/load.ts';
import { requests } from '../worker/requests.ts';
import { buildRowsBundle, rowRequests } from '../worker/rows.ts';
import type { Recipes, Worker } from './workers.ts';

/** `whole` is this project's own Worker; `whole-rows` serves a table. */
export function wholes(): Recipes {
  return {
    whole: () => {
      const { json, png } = requests('mnist-cnn');
      return wholeWorker('whole', buildBundle(), { infer: json, classify: png });
    },
    'whole-rows': async () => wholeWorker('whole-rows', await buildRowsBundle(), { predict: rowRequests(1).rows }),
  };
}

async function wholeWorker(name: string, folder: string, asks: Readonly<Record<string, HttpRequest>>): Promise<Worker> {
  const names = (await readdir(folder)).filter((file) => /\.(js|wasm|bin)$/.test(file)).sort();
  // The entry must come first.
  const entries = [...names.filter((file) => file === 'index.js'), ...names.filter((file) => file !== 'index.js')];
  const files = await Promise.all(
    entries.map(
      async (file) => [file === 'index.js' ? 'worker.mjs' : file, await readFile(join(folder, file))] as const,
    ),
  );
  await rm(folder, { recursive: true });
  return { name, files: Object.fromEntries(files), asks };
}
