/** Tells from Wrangler's configuration whether a Worker is open to everyone, and without a limit on requests. */
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
 * @param command that Wrangler runs, as it tells the builds that it starts
 * @param folder of the project
 */
export async function openness(command: string | undefined, folder = '.'): Promise<string | undefined> {
  const file = configurations.find((path) => existsSync(join(folder, path)));
  if (!file || !deploying.includes(command ?? '')) return undefined;
  const text = withoutComments(await readFile(join(folder, file), 'utf8'), file);
  if (/\b(API_KEY|RATE_LIMITER)\b/.test(text)) return undefined;
  return `the endpoint is open and unmetered, unless it has the secret API_KEY: npx wrangler secret put API_KEY, and turn on the rate limit in ${file}`;
}

/**
 * Removes whole lines of comments, which is how a template turns off what it offers.
 *
 * @param file that the text is from; its extension tells the syntax
 */
export function withoutComments(text: string, file: string): string {
  const sign = file.endsWith('.toml') ? '#' : '//';
  return text
    .split('\n')
    .filter((line) => !line.trim().startsWith(sign))
    .join('\n');
}
