import { readFile } from 'node:fs/promises';
import type { Backend } from '../backend/index.ts';

/** What a run was made with. */
export async function versions({ engine }: Backend): Promise<Readonly<Record<string, string>>> {
  const manifest = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(manifest) as { readonly version: string };
  return { 'bn-edge': version, node: process.versions.node, engine };
}
