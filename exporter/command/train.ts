/** `npm run train -- --help` */
import { Command, Option } from 'commander';
import { type BackendName, backendNames } from '../../training/backend/index.ts';
import { networks } from '../../training/network/index.ts';
import { formatReport, objectiveKinds } from '../../training/objective/index.ts';
import { optimizers, schedules } from '../../training/optimizer/index.ts';
import {
  type Length,
  type ObjectiveFlags,
  trainingDefaults as defaults,
  trainToFolder,
  withRecordedArguments,
} from '../../training/run/index.ts';
import type { TrainingConfig } from '../../training/trainer/index.ts';
import { addDataOptions, type DataFlags, takeDataSource } from './data-options.ts';
import { runCommand } from './run-command.ts';
import { atLeastZero, fraction, fractionOrNone, positive, wholeNumber, wholeNumbers } from './numbers.ts';
import { terminalReporter } from './terminal.ts';

interface Flags extends Omit<TrainingConfig, 'objective' | keyof Length>, Partial<Length>, ObjectiveFlags, DataFlags {
  readonly network?: string;
  readonly hidden?: readonly number[];
  readonly from?: string;
  readonly backend: BackendName;
  readonly threads?: number;
  readonly spinning?: boolean;
  readonly out?: string;
  readonly resume?: true;
}

const choice = (flags: string, description: string, choices: readonly string[], otherwise: string) =>
  new Option(flags, description).choices(choices).default(otherwise);

const args = process.argv.slice(2);

const command = new Command('train').description(
  'Train a Batch Norm network, on MNIST or on data of your own, and save a checkpoint.',
);

addDataOptions(command)
  .optionsGroup('Network and length:')
  .option(
    '--network <name>',
    `${Object.keys(networks).join(', ')}, or a .ts file (default: mnist-cnn for MNIST, else dense layers for numbers and convolutions for images)`,
  )
  .option('--hidden <widths>', 'dense layers of these widths, such as 64,32, in place of a network', wholeNumbers)
  .option('--from <checkpoint>', 'start from these tensors, in place of fresh ones')
  .option('--epochs <n>', 'passes over the training set (default: some 2,500 steps, at most 100)', wholeNumber(1))
  .option('--batch-size <n>', 'samples that are normalized together (default: 64, less for few)', wholeNumber(2))
  .option('--early-stopping <epochs>', 'stop when so many epochs pass without a lower validation loss', wholeNumber(1))
  .addOption(
    new Option(
      '--keep <epoch>',
      'what to save: the last, or the best by validation loss (default: last; best if it may stop early)',
    ).choices(['last', 'best']),
  )
  .optionsGroup('What is minimized:')
  .addOption(new Option('--objective <name>', 'the loss (default: what fits the data)').choices(objectiveKinds))
  .option('--label-smoothing <x>', 'share of the target that spreads over all classes, for multiclass', fraction)
  .option('--balance-classes', 'weigh rare classes so that all count alike, for multiclass')
  .option(
    '--huber-delta <x>',
    'error, in standard deviations of the numbers, from which on the loss grows as a line, for huber (default: 1)',
    positive,
  )
  .optionsGroup('How:')
  .addOption(
    choice('--optimizer <name>', 'how gradients change parameters', Object.keys(optimizers), defaults.optimizer),
  )
  .option('--momentum <x>', 'share of the velocity kept, for momentum and nesterov', fraction, 0.9)
  .option('--learning-rate <x>', 'the highest of the schedule', positive, defaults.learningRate)
  .addOption(choice('--schedule <name>', 'of the learning rate', Object.keys(schedules), defaults.schedule))
  .option('--warm-up <x>', 'share of all steps in which the rate rises (default: 0.3 for one-cycle, else 0)', fraction)
  .option('--weight-decay <x>', 'of weights, never of γ, β and biases; decoupled for adamw, else L2', atLeastZero, 0)
  .option('--clip-norm <x>', 'shorten the gradients of a step to this global norm', positive)
  .option('--ema <x>', 'evaluate and save an average of the weights that keeps this share at each step', fraction)
  .optionsGroup('Batch Norm:')
  .option(
    '--bn-momentum <x>',
    "share of the old running statistics kept at each step; 'none' for their mean",
    fractionOrNone,
    defaults.bnMomentum,
  )
  .addOption(
    choice('--bn-variance <kind>', 'what the running variance averages', ['population', 'unbiased'], 'population'),
  )
  .addOption(
    choice(
      '--statistics <source>',
      'saved: the running average, or a pass over the training set',
      ['running', 'population'],
      'running',
    ),
  )
  .option('--freeze-bn', 'keep the running statistics of --from and normalize with them; γ and β are still trained')
  .optionsGroup('Run:')
  .option('--seed <n>', 'of split, initial weights, order and dropout', wholeNumber(0), defaults.seed)
  .addOption(
    choice('--backend <name>', 'where the graph runs; auto: a GPU, else native, else wasm', backendNames, 'native'),
  )
  .option('--threads <n>', 'threads of a CPU backend (default: native what the work is worth, wasm 1)', wholeNumber(1))
  .option('--spinning', 'threads of native wait in a busy loop (default: while no one else uses the machine)')
  .option('--no-spinning', 'they sleep')
  .option('--out <folder>', 'run folder (default: runs/<network>)')
  .option('--resume', 'go on with the run in the folder, as if it had never stopped; other options need no repeating');

command.addHelpText(
  'after',
  `
Examples:
  npm run train
  npm run train -- --network mnist-mlp --epochs 50 --early-stopping 5
  npm run train -- --network mnist-mlp --resume
  npm run train -- --from runs/mnist-cnn/checkpoint.safetensors --learning-rate 0.0001 --out runs/tuned
  npm run train -- --data wine.csv --label class --hidden 64,32
  npm run train -- --data pictures --image-size 32

Ctrl-C saves and stops; again, it stops at once. The run folder holds checkpoint.safetensors for npm run export and
npm run evaluate, best.safetensors, last.safetensors for --resume, config.json, metrics.jsonl, figures/, and event files
for tensorboard --logdir runs.`,
);

command.action(async (flags: Flags) => {
  const { source, others } = takeDataSource(flags);
  const { network, hidden, from, threads, spinning, out, resume, backend, ...rest } = others;
  const { objective, labelSmoothing, balanceClasses, huberDelta, ...config } = rest;
  const {
    checkpoint,
    objective: minimized,
    test,
    baseline,
  } = await trainToFolder(
    {
      network,
      hidden,
      from,
      config,
      objective: { objective, labelSmoothing, balanceClasses, huberDelta },
      backend,
      threads,
      spinning,
      data: source,
      out,
      resume,
      arguments: args,
    },
    terminalReporter(console.log),
  );
  console.log(`test ${formatReport(minimized, test, baseline)} with ${config.statistics ?? 'running'} statistics`);
  console.log(`saved ${checkpoint}`);
});

await runCommand(command, () => withRecordedArguments(args));
