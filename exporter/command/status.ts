/** The command `bn-edge status`, with its help. */
import { unexpected } from '../../training/files/index.ts';
import { describePlatform, status as statusOf, type Status } from '../deploy/status.ts';
import { requireProject } from '../deploy/wrangler.ts';
import { addModelsOption } from './models-option.ts';
import { completeCommand, type Subcommand } from './subcommand.ts';
import { plainTable } from './table.ts';

export const status: Subcommand = {
  configure: (command) => {
    addModelsOption(command.argument('[name]', 'of one model (default: all)'));
    completeCommand<{ readonly models: string }>(command, page, async ({ models }, name) => {
      requireProject('status');
      const found = await statusOf(models);
      const shown = found.models.filter((model) => name === undefined || model.name === name);
      if (shown.length === 0) {
        throw unexpected('status', found.models.map((model) => model.name).join(' or '), name ?? 'none');
      }
      print({ ...found, models: shown });
      return { ...found, models: shown };
    });
    return undefined;
  },
};

function print({ models, platform }: Status): void {
  const table = plainTable(['model', 'version', 'sha256', 'kept', ''], ['model', 'sha256', '']);
  for (const { name, version, sha256, kept, isIntact } of models) {
    table.push([name, version, sha256.slice(0, 12), kept?.version ?? '', isIntact ? '' : 'not the file of its card']);
  }
  console.log(table.toString());
  for (const line of describePlatform(platform)) console.log(line);
}

const page = {
  description: 'Compare the models in models/ with what is deployed.',
  notes: `The platform is asked, which needs npx wrangler login, or the environment
variable CLOUDFLARE_API_TOKEN; without, what is deployed is unknown. Models are
recognized where bn-edge release or bn-edge rollback deployed them.`,
  examples: ['bn-edge status', 'bn-edge status churn --json'],
} as const;
