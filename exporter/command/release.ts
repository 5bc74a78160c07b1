/** `npm run release -- --help` */
import { InvalidArgumentError } from 'commander';
import { nativeBackend } from '../../training/backend/index.ts';
import { runCommand } from './run-command.ts';
import { exportCommand, type ExportFlags, exportOptions } from './command.ts';
import { release } from '../deploy/release.ts';

interface ReleaseFlags extends ExportFlags {
  readonly percentage?: number;
  readonly force: boolean;
}

const command = exportCommand('release')
  .description('Export a checkpoint, compare it with the deployed version, deploy it, and keep that version beside it.')
  .option('--percentage <n>', 'of the traffic for the new version (default: all)', percentage)
  .option('--force', 'release in spite of a lower accuracy, another signature or a too large Worker', false)
  .action(async ({ percentage, force, ...flags }: ReleaseFlags) => {
    await release({ ...(await exportOptions(flags)), percentage, force }, await nativeBackend(), console.log);
  });

function percentage(text: string): number {
  if (/^[1-9]\d?$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a whole number from 1 to 99.');
}

await runCommand(command);
