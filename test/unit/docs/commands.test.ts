/** The command understands every command line in the README and the guides. */
import { Command } from 'commander';
import { beforeAll, describe, expect, it } from 'vitest';
import manifest from '../../../package.json' with { type: 'json' };
import { groups } from '../../../exporter/command/cli.ts';
import { type Document, documents, fenced } from './documents.ts';

const guides = documents.filter(({ path }) => path === 'README.md' || path.startsWith('docs/guide/'));

/** Returns the shell's lines, with continued lines joined, without comments and prompts. */
const linesOf = (document: Document): readonly string[] =>
  fenced(document, 'sh').flatMap((block) =>
    block
      .replaceAll('\\\n', ' ')
      .split('\n')
      .map((line) => line.replace(/\s+#.*$/, '').trim())
      .filter((line) => line !== ''),
  );

const all = guides.flatMap((document) => linesOf(document).map((line) => ({ path: document.path, line })));
const commands = all.filter(({ line }) => line.startsWith('npx bn-edge '));
const scripts = all.filter(({ line }) => /^npm run \S/.test(line));

/** Caches the long options of each subcommand. */
const options = new Map<string, ReadonlySet<string>>();

beforeAll(async () => {
  for (const [name, { load }] of Object.values(groups).flatMap((group) => Object.entries(group))) {
    const command = new Command(name);
    await (await load()).configure(command, []);
    options.set(name, new Set(command.options.map(({ long }) => long ?? '')));
  }
});

describe('every bn-edge command in the guides has a subcommand and options that exist', () => {
  it.each(commands)('$path: $line', ({ line }) => {
    const [, , name = '', ...words] = line.split(/\s+/);
    const known = options.get(name);
    expect(known, `${line}: no such subcommand`).toBeDefined();
    for (const word of words.filter((word) => word.replace('[', '').startsWith('--')))
      expect([...(known ?? []), '--help'], `${line}: ${word}`).toContain(word.replace('[', '').split('=')[0]);
  });
});

it.each(scripts)('$path: $line is a script of package.json', ({ line }) => {
  expect(Object.keys(manifest.scripts)).toContain(line.split(/\s+/)[2]);
});
