/** The command `bn-edge client`, with its help. */
import { dirname } from 'node:path';
import { makeFolder, unexpected, writeAtomically } from '../../training/files/index.ts';
import { readModels } from '../store/registry.ts';
import { clientBegins, clientSource, isCallable } from '../typed/client.ts';
import { typedModels } from '../typed/folder.ts';
import { typedModelsOf } from '../typed/server.ts';
import { addModelsOption } from './models-option.ts';
import { requireReplaceable } from './predictions.ts';
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
      await requireReplaceable('--out', out, clientBegins);
      const all = url === undefined ? typedModels(readModels(models).models) : await typedModelsOf(url, key);
      const typed = all.filter(isCallable);
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

const page = {
  description: 'Write a TypeScript file with the types of every model, which calls them over fetch.',
  notes: `It depends on nothing, and works in browsers, Node and Workers: rows, labels
and answers are typed as in the image that bn-edge build writes.`,
  examples: ['bn-edge client', 'bn-edge client --url http://localhost:8787 --out src/models.ts'],
} as const;
