/** The command `bn-edge init`, with its help. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { initialize, type Initialized } from './init-files.ts';
import { completeCommand, type Subcommand } from './subcommand.ts';

interface Flags {
  readonly ci: boolean;
  readonly monitor: boolean;
}

export const init: Subcommand = {
  configure: (command) => {
    command
      .argument('[folder]', 'of the project, made where there is none', '.')
      .option('--ci', 'also write a workflow for GitHub Actions that trains, exports and releases', false)
      .option('--monitor', 'also what a Worker needs that counts what monitored models are asked', false);
    completeCommand<Flags>(command, page, async ({ ci, monitor }, folder = '.') => {
      const done = await initialize(folder, ci, monitor);
      print(folder, done);
      return { ...done };
    });
    return undefined;
  },
};

function print(folder: string, { wrote, added, left, notes }: Initialized): void {
  for (const path of wrote) console.log(`wrote  ${path}`);
  for (const [path, what] of Object.entries(added)) console.log(`added  ${path}: ${what.join(', ')}`);
  for (const path of left) console.log(`left   ${path}`);
  for (const note of notes) console.log(`note   ${note}`);
  const steps = [
    ...(folder === '.' ? [] : [`cd ${folder}`]),
    ...(hasPackages(folder) ? [] : ['npm i -D bn-edge wrangler typescript']),
    'npx bn-edge train churn.csv --label churned && npx bn-edge export runs/churn     or: npx bn-edge add model.onnx',
    'npx wrangler dev',
  ];
  console.log(`\nnext:\n${steps.map((step) => `  ${step}`).join('\n')}`);
}

const hasPackages = (folder: string): boolean =>
  ['bn-edge', 'wrangler', 'typescript'].every((name) => existsSync(join(folder, 'node_modules', name)));

const page = {
  description:
    'Write what a project needs to deploy models: wrangler.toml, worker/index.ts, tsconfig.json, models/, and lines in .gitignore and package.json.',
  notes: `What is there stays as it is; .gitignore and the scripts of package.json only
get what they lack, and with --monitor wrangler.toml and a worker/index.ts as it
was written. Nothing is asked, and nothing is installed.`,
  examples: ['bn-edge init', 'bn-edge init churn --ci --monitor'],
} as const;
