/** `npm run export -- --help` */
import { Command, Option } from 'commander';
import { nativeBackend } from '../training/backend/index.ts';
import { addDataOptions, type DataFlags, findNetwork, runCommand, takeDataSource } from '../training/cli/index.ts';
import type { StatisticsSource } from './card.ts';
import { describeExport } from './describe.ts';
import { exportModel } from './export.ts';

interface Flags extends DataFlags {
  readonly checkpoint: string;
  readonly name: string;
  readonly statistics: StatisticsSource;
  readonly network?: string;
  readonly models: string;
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
  .option('--network <name>', 'a name or a .ts file, for a checkpoint that does not describe its network')
  .option('--models <folder>', 'where models are kept', 'models');

addDataOptions(command, 'what the checkpoint was trained on').action(async (flags: Flags) => {
  const { source: data, others } = takeDataSource(flags);
  const network = others.network === undefined ? undefined : await findNetwork(others.network);
  const card = await exportModel({ ...others, network, data }, await nativeBackend());
  console.log(describeExport(card, others.models));
});

await runCommand(command);
