/**
 * Reads from Wrangler's configuration whether a Worker is open to everyone without a limit on requests, and whether the
 * requests of monitored models are counted.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { configurations } from './wrangler.ts';

/** Commands of Wrangler that make the Worker reachable from the internet. */
const deploying = ['deploy', 'versions upload'];

/**
 * Returns one line if neither a key nor a rate limit is configured, `undefined` otherwise. A secret that the
 * configuration does not declare is known to the platform alone.
 *
 * @param command the command that Wrangler runs; it passes it to the builds that it starts
 * @param folder of the project
 */
export async function warningIfOpen(command: string | undefined, folder = '.'): Promise<string | undefined> {
  if (!deploying.includes(command ?? '')) return undefined;
  const { file, text } = (await configurationIn(folder)) ?? {};
  if (text === undefined || /\b(API_KEY|RATE_LIMITER)\b/.test(text)) return undefined;
  return `the endpoint is open and unmetered, unless it has the secret API_KEY: npx wrangler secret put API_KEY, and turn on the rate limit in ${file}`;
}

/**
 * Returns one line if models are monitored and no Durable Object keeps the counts, `undefined` otherwise.
 *
 * @param models paths of those that are monitored
 * @param folder of the project
 */
export async function warningIfUncounted(models: readonly string[], folder = '.'): Promise<string | undefined> {
  const [first] = models;
  if (first === undefined) return undefined;
  const { file, text } = (await configurationIn(folder)) ?? {};
  if (text === undefined || text.includes('DriftMonitor')) return undefined;
  const others = models.length > 1 ? ` and ${models.length - 1} more` : '';
  return `${first}${others} is to be monitored, and ${file} has no binding of the class DriftMonitor: bn-edge init --monitor; until then nothing is counted`;
}

/** Reads the configuration of a project, without comments; undefined if there is none. */
async function configurationIn(folder: string): Promise<{ readonly file: string; readonly text: string } | undefined> {
  const file = configurations.find((path) => existsSync(join(folder, path)));
  return file === undefined
    ? undefined
    : { file, text: withoutComments(await readFile(join(folder, file), 'utf8'), file) };
}

/**
 * Removes whole lines of comments, which is how a template turns off what it offers.
 *
 * @param file the file that the text is from; its extension gives the syntax
 */
export function withoutComments(text: string, file: string): string {
  const sign = file.endsWith('.toml') ? '#' : '//';
  return text
    .split('\n')
    .filter((line) => !line.trim().startsWith(sign))
    .join('\n');
}
