/** The command `bn-edge release`, with its help. */
import { InvalidArgumentError } from 'commander';
import { nativeBackend } from '../../training/backend/index.ts';
import { release as releaseModel } from '../deploy/release.ts';
import { requireProject } from '../deploy/wrangler.ts';
import { addExportOptions, type ExportFlags, exportOptions } from './model-options.ts';
import { stageLine } from './stage.ts';
import { completeCommand, screenOf, type Subcommand } from './subcommand.ts';

interface Flags extends ExportFlags {
  readonly percent?: number;
  readonly force: boolean;
}

export const release: Subcommand = {
  configure: (command) => {
    addExportOptions(command.argument('[run]', 'a run folder, such as runs/churn, or a checkpoint'))
      .optionsGroup('Release:')
      .option('--percent <n>', 'of the traffic for the new version (default: all)', percentage)
      .option('--force', 'release in spite of a worse score, another signature or a too large Worker', false);
    completeCommand<Flags>(command, page, async ({ percent: percentage, force, ...flags }, run, isJson) => {
      const options = await exportOptions('release', flags, run);
      requireProject('release');
      using stage = stageLine('release');
      const screen = screenOf(stage, isJson);
      return { ...(await releaseModel({ ...options, percentage, force }, await nativeBackend(), screen)) };
    });
    return undefined;
  },
};

function percentage(text: string): number {
  if (/^[1-9]\d?$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a whole number from 1 to 99 (all, without --percent).');
}

const page = {
  description: 'Export a run, compare it with the deployed version, deploy it, and keep that version beside it.',
  notes: `A worse score, other inputs or labels, and a Worker that is too large are
refused unless --force is given. Deploying needs npx wrangler login, or the
environment variable CLOUDFLARE_API_TOKEN.`,
  examples: ['bn-edge release runs/churn', 'bn-edge release runs/churn --percent 10'],
} as const;
