/** The program that `npm run deploy` runs first. */
import { Command } from 'commander';
import { checkModels } from '../model/check-models.ts';
import { runCommand } from './run-command.ts';

const command = new Command('check-models')
  .description('See whether every model that has a card is what the card describes.')
  .option('--models <folder>', 'where models are kept', 'models')
  .action(({ models }: { readonly models: string }) => checkModels(models, console.log));

await runCommand(command);
