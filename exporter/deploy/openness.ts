/** Whether anybody may ask a Worker, and as often as they like, as far as Wrangler's configuration tells. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { configurations } from './wrangler.ts';

/** Commands of Wrangler after which the world reaches the Worker. */
const deploying = ['deploy', 'versions upload'];

/**
 * One line where neither a key nor a rate limit is configured; `undefined` elsewhere. A secret that nobody declares is known to the
 * platform alone.
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

/** @param file of whose kind the text is. Whole lines, which is how what a template offers is turned off. */
export function withoutComments(text: string, file: string): string {
  const sign = file.endsWith('.toml') ? '#' : '//';
  return text
    .split('\n')
    .filter((line) => !line.trim().startsWith(sign))
    .join('\n');
}
