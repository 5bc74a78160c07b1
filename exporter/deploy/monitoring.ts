/** Tells from Wrangler's configuration whether the requests of monitored models are counted. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withoutComments } from './openness.ts';
import { configurations } from './wrangler.ts';

/**
 * Returns one line if models are monitored and no Durable Object keeps the counts, `undefined` otherwise.
 *
 * @param models paths of those that are monitored
 * @param folder of the project
 */
export async function uncounted(models: readonly string[], folder = '.'): Promise<string | undefined> {
  const file = configurations.find((path) => existsSync(join(folder, path)));
  const [first] = models;
  if (!file || first === undefined) return undefined;
  const text = withoutComments(await readFile(join(folder, file), 'utf8'), file);
  if (text.includes('DriftMonitor')) return undefined;
  const others = models.length > 1 ? ` and ${models.length - 1} more` : '';
  return `${first}${others} is to be monitored, and ${file} has no binding of the class DriftMonitor: bn-edge init --monitor; until then nothing is counted`;
}
