/** The options that exporting and releasing share on the command line. */
import { Command, Option } from 'commander';
import { findNetwork } from '../../training/run/index.ts';
import { addDataOptions, type DataFlags, takeDataSource } from './data-options.ts';
import type { ExportOptions } from '../model/export.ts';
import type { StatisticsSource } from '../store/card.ts';

export interface ExportFlags extends DataFlags {
  readonly checkpoint: string;
  readonly name: string;
  readonly statistics: StatisticsSource;
  readonly network?: string;
  readonly models: string;
}

export function exportCommand(name: string): Command {
  const command = new Command(name)
    .requiredOption('--checkpoint <file>', 'a safetensors checkpoint')
    .requiredOption('--name <name>', 'the folder in models/ and the name in the URL')
    .addOption(
      new Option('--statistics <source>', 'Batch Norm statistics: the running average, or a pass over the training set')
        .choices(['running', 'population'])
        .default('running'),
    )
    .option('--network <name>', 'a name or a .ts file, for a checkpoint that does not describe its network')
    .option('--models <folder>', 'where models are kept', 'models');
  return addDataOptions(command, 'what the checkpoint was trained on');
}

export async function exportOptions(flags: ExportFlags): Promise<ExportOptions> {
  const { source: data, others } = takeDataSource(flags);
  const network = others.network === undefined ? undefined : await findNetwork(others.network);
  return { ...others, network, data };
}
