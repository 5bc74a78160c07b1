/** `npm run rollback -- --help` */
import { Command } from 'commander';
import { runCommand } from './run-command.ts';
import { rollback } from '../deploy/release.ts';

const command = new Command('rollback')
  .description('Deploy the version before the current one, which is kept in its place.')
  .requiredOption('--name <name>', 'the folder in models/ and the name in the URL')
  .option('--models <folder>', 'where models are kept', 'models')
  .action(async ({ name, models }: { readonly name: string; readonly models: string }) => {
    await rollback(models, name, console.log);
  });

await runCommand(command);
