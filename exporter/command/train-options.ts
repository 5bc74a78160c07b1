/** The options of `bn-edge train`, by the groups of its help. */
import { type Command, Option } from 'commander';
import { backendNames, stepperNames } from '../../training/backend/index.ts';
import { networks } from '../../training/network/index.ts';
import { objectiveKinds } from '../../training/objective/index.ts';
import { optimizers, schedules } from '../../training/optimizer/index.ts';
import { trainingDefaults as defaults } from '../../training/run/index.ts';
import { addDataOptions } from './data-options.ts';
import {
  atLeastZero,
  augmentation,
  fraction,
  fractionOrNone,
  positive,
  wholeNumber,
  wholeNumbers,
} from './option-values.ts';

export function addTrainOptions(command: Command): void {
  addDataOptions(command.argument('[data]', 'the same as --data'));
  addNetworkOptions(command);
  addLengthOptions(command);
  addObjectiveOptions(command);
  addOptimizerOptions(command);
  addBatchNormOptions(command);
  addRunOptions(command);
}

const addNetworkOptions = (command: Command): Command =>
  command
    .optionsGroup('Network and length:')
    .option(
      '--network <name>',
      `a .ts, .js or .json file, or ${Object.keys(networks).join(', ')} (default: members for tables, dense layers for arrays, convolutions for pictures)`,
    )
    .option('--hidden <widths>', 'dense layers of these widths, such as 64,32, in place of a network', wholeNumbers)
    .option(
      '--members <k>',
      'k members share these layers but for Batch Norm, each with a head of its own; the answer is their mean (default: 16 for tables, 8 for tables of many rows; 1: no ensemble)',
      wholeNumber(1),
    )
    .option(
      '--bins <n>',
      'cut each number of a row into n bins, 384 in all at most, and scale it by median and quartiles (default: 32 for tables; 0 cuts none)',
      wholeNumber(0),
    )
    .option('--from <checkpoint>', 'start from these tensors, in place of fresh ones');

/** Adds the options about the length of training, in the same group. */
const addLengthOptions = (command: Command): Command =>
  command
    .option(
      '--epochs <n>',
      'passes over the training set (default: some 2,500 steps, at most 100; for tables of 12,000 rows and more twice as many)',
      wholeNumber(1),
    )
    .option('--steps <n>', 'mini-batches to learn from, in place of epochs', wholeNumber(1))
    .option(
      '--batch-size <n>',
      'samples that are normalized together (default: 64, less for few, 128 for tables of 12,000 rows and more)',
      wholeNumber(2),
    )
    .option(
      '--early-stopping <epochs>',
      'stop when so many epochs pass without a lower validation loss',
      wholeNumber(1),
    )
    .option('--time-limit <seconds>', 'stop by the clock; the schedule of the learning rate follows it', positive)
    .option('--refit', 'learn from the validation part as well, for as many steps as that has shown to be best')
    .option(
      '--folds <k>',
      'find these steps by k folds of training and validation parts, and answer each sample by a network that has not seen it (default: 5 for tables with fewer than 30 rows to validate; 1 is none)',
      wholeNumber(1),
    )
    .addOption(
      new Option(
        '--keep <epoch>',
        'what to save: the last, or the best by validation loss (default: best, if there is a validation part)',
      ).choices(['last', 'best']),
    );

const addObjectiveOptions = (command: Command): Command =>
  command
    .optionsGroup('What is minimized:')
    .addOption(new Option('--objective <name>', 'the loss (default: what fits the data)').choices(objectiveKinds))
    .option('--label-smoothing <x>', 'share of the target that spreads over all classes, for multiclass', fraction)
    .option('--balance-classes', 'weigh rare classes so that all count alike, for multiclass')
    .option(
      '--huber-delta <x>',
      'error, in standard deviations of the numbers, from which on the loss grows as a line, for huber (default: 1)',
      positive,
    );

const addOptimizerOptions = (command: Command): Command =>
  command
    .optionsGroup('How:')
    .addOption(
      choice('--optimizer <name>', 'how gradients change parameters', Object.keys(optimizers), defaults.optimizer),
    )
    .option('--momentum <x>', 'share of the velocity kept, for momentum and nesterov', fraction, 0.9)
    .option('--learning-rate <x>', 'the highest of the schedule', positive, defaults.learningRate)
    .addOption(choice('--schedule <name>', 'of the learning rate', Object.keys(schedules), defaults.schedule))
    .option(
      '--warm-up <x>',
      'share of all steps in which the rate rises (default: 0.3 for one-cycle, else 0)',
      fraction,
    )
    .option('--weight-decay <x>', 'of weights, never of γ, β and biases; decoupled for adamw, else L2', atLeastZero, 0)
    .option('--clip-norm <x>', 'shorten the gradients of a step to this global norm', positive)
    .option('--ema <x>', 'evaluate and save an average of the weights that keeps this share at each step', fraction)
    .option(
      '--augment <kinds>',
      'change the pictures in each epoch: all, or some of flip, shift=0.125, crop=0.8, rotate=10 (shares of the sides, degrees)',
      augmentation,
    );

const addBatchNormOptions = (command: Command): Command =>
  command
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
    .option('--freeze-bn', 'keep the running statistics of --from and normalize with them; γ and β are still trained');

const addRunOptions = (command: Command): Command =>
  command
    .optionsGroup('Run:')
    .option('--seed <n>', 'of split, initial weights, order and dropout', wholeNumber(0), defaults.seed)
    .addOption(
      choice('--backend <name>', 'where the graph runs; auto: a GPU, else native, else wasm', backendNames, 'native'),
    )
    .option(
      '--threads <n>',
      'threads of a CPU backend (default: native what is fastest, measured where that is in doubt; wasm 1)',
      wholeNumber(1),
    )
    .option('--spinning', 'threads of native wait in a busy loop (default: while no other process uses the machine)')
    .option('--no-spinning', 'threads of native sleep while they wait')
    .addOption(
      new Option(
        '--stepper <way>',
        'what computes the steps on a CPU backend: one compiled program, a program beside ONNX Runtime, or its Loop (default: what suits the network; it decides the last bits)',
      ).choices(stepperNames),
    )
    .option('--out <folder>', 'run folder (default: runs/<network>, with a number after it if that holds a run)')
    .option('--overwrite', 'take the place of the run in the folder')
    .option('--resume', 'resume the run in the folder, as if it had never stopped; other options need no repeating');

const choice = (flags: string, description: string, choices: readonly string[], otherwise: string) =>
  new Option(flags, description).choices(choices).default(otherwise);
