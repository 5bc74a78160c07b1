/** The command `bn-edge client`, with its help. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeFolder, unexpected, writeAtomically } from '../../training/files/index.ts';
import { readModels } from '../store/registry.ts';
import { clientMark, clientSource } from '../typed/client.ts';
import { typedModels } from '../typed/folder.ts';
import { typedModelsOf } from '../typed/server.ts';
import { addModelsOption } from './models-option.ts';
import { completeCommand, type Subcommand } from './subcommand.ts';

interface Flags {
  readonly url?: string;
  readonly key?: string;
  readonly models: string;
  readonly out: string;
}

export const client: Subcommand = {
  configure: (command) => {
    addModelsOption(command)
      .option('--url <url>', 'ask a server which models it has, and call that one (default: read the folder of models)')
      .option('--key <key>', 'of a server that asks for one; it is not written')
      .option('--out <file>', 'where the client goes', 'client.ts');
    completeCommand<Flags>(command, page, async ({ url, key, models, out }) => {
      if (url !== undefined && !URL.canParse(url)) throw unexpected('--url', 'such as http://localhost:8787', url);
      await requireOurs(out);
      const typed = url === undefined ? typedModels(readModels(models).models) : await typedModelsOf(url, key);
      if (typed.length === 0) throw unexpected(url ?? models, 'a model that says what it takes and answers', 'none');
      const source = await clientSource(typed, url?.replace(/\/+$/, '') ?? '');
      await makeFolder(dirname(out));
      await writeAtomically(out, source);
      console.log(`${out}: written, with ${typed.map(({ name }) => name).join(', ')}`);
      return { out, models: typed.map(({ name }) => name) };
    });
    return undefined;
  },
};

/** @throws UserError if a file is there that this command has not written */
async function requireOurs(out: string): Promise<void> {
  if (!existsSync(out) || (await readFile(out, 'utf8')).startsWith(clientMark)) return;
  throw unexpected(`--out ${out}`, 'no file, or one that this command has written', 'another');
}

const page = {
  description: 'Write a TypeScript file with the types of every model, which calls them over fetch.',
  notes: `It depends on nothing, and works in browsers, Node and Workers: rows, labels
and answers are typed as in the image that bn-edge build writes.`,
  examples: ['bn-edge client', 'bn-edge client --url http://localhost:8787 --out src/models.ts'],
} as const;
