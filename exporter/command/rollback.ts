/** The command `bn-edge rollback`, with its help. */
import { join } from 'node:path';
import { rollback as deployRollback } from '../deploy/rollback.ts';
import { requireProject } from '../deploy/wrangler.ts';
import { swapVersions } from '../store/rollback.ts';
import { modelNames } from '../store/models-folder.ts';
import { unexpected } from '../../training/files/index.ts';
import { oneOf } from './model-options.ts';
import { addModelsOption } from './models-option.ts';
import { stageLine } from './stage.ts';
import { type Answer, completeCommand, screenOf, type Subcommand } from './subcommand.ts';

interface Flags {
  readonly name?: string;
  readonly models: string;
  readonly local?: boolean;
}

export const rollback: Subcommand = {
  configure: (command) => {
    command.argument('[name]', 'of the model, where there are several');
    addModelsOption(command).option('--name <name>', 'the same');
    command.option('--local', 'change the folder alone, and deploy nothing: for a model that is not online');
    completeCommand<Flags>(command, page, async ({ name, models, local = false }, argument, isJson) => {
      if (!local) requireProject('rollback');
      const chosen = oneOf('rollback', '--name', argument, name) ?? onlyModel(models);
      if (local) return swapLocally(models, chosen);
      using stage = stageLine('rollback');
      return { ...(await deployRollback(models, chosen, screenOf(stage, isJson))) };
    });
    return undefined;
  },
};

async function swapLocally(models: string, name: string): Promise<Answer> {
  const { version, previous } = await swapVersions(models, name);
  console.log(
    `${join(models, name)}: version ${version} answers again; ${previous} is kept beside it, and nothing was deployed`,
  );
  return { name, version, previous, deployed: false };
}

function onlyModel(models: string): string {
  const [only, ...others] = modelNames(models);
  if (only !== undefined && others.length === 0) return only;
  throw unexpected('rollback', 'the name of a model', `none of ${[only, ...others].join(', ')}`);
}

const page = {
  description: 'Deploy the version before the current one, which is kept in its place.',
  notes: `The version before lies in models/<name>/versions. The two change places, so a
second rollback undoes the first.`,
  examples: ['bn-edge rollback', 'bn-edge rollback churn --models ../models'],
} as const;
