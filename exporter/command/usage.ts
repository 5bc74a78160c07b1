/**
 * Explains a wrong use of a command in one line that says what to write instead. It knows the options of other tools.
 */
import { type Command, CommanderError, type Option } from 'commander';

/** Makes an error for a mistake in what was typed. It needs none of the modules of commands. */
export const wrongUse = (message: string): CommanderError => new CommanderError(1, 'bn-edge.usage', message);

/** @param message of a CommanderError */
export function explainUsage(message: string, command: Command): string {
  const [, unknown] = /^error: unknown option '([^'=]+)/.exec(message) ?? [];
  if (unknown !== undefined) return unknownOption(unknown, command, suggestionsIn(message));
  if (message.startsWith('error: too many arguments')) return tooManyArguments(command);
  const line = message.replace(/^error: /, '').replaceAll(/\s*\n\s*/g, ' ');
  return line.includes('unknown command') && suggestionsIn(line).length === 0
    ? `${line} (bn-edge --help lists all)`
    : line;
}

/**
 * Numbers among the arguments are mostly a list that was typed with spaces: only its first item belongs to the option
 * before it.
 */
function tooManyArguments(command: Command): string {
  const { args, registeredArguments } = command;
  const expected = registeredArguments.map((argument) => argument.name()).join(' ') || 'none';
  const extra = args.slice(registeredArguments.length);
  const help = extra.every((each) => /^[\d.]+$/.test(each)) ? '; a list has commas and no spaces: 64,32' : '';
  return `${command.name()}: expected at most one argument, ${expected}, got also ${extra.join(' ')}${help}`;
}

function unknownOption(flag: string, command: Command, near: readonly string[]): string {
  const where = command.name();
  if (flag === '-v') return `${where}: expected bn-edge --version or -V, got -v`;
  if (command.commands.length > 0)
    return `${where}: expected a command before options (${where} --help lists all), got ${flag}`;
  const found = meant(flag, command.options) ?? command.options.find(({ long }) => long && near.includes(long));
  if (!found) return `${where}: expected one of its options (--help lists them), got ${flag}`;
  const choices = found.argChoices ? ` (${found.argChoices.join(', ')})` : '';
  return `${where}: expected ${found.flags}${choices}${notes[found.name()] ?? ''}, got ${flag}`;
}

/** Returns Commander's suggestions by spelling: `(Did you mean --epochs?)`. */
const suggestionsIn = (message: string): readonly string[] =>
  /\(Did you mean (.*)\?\)/.exec(message)?.[1]?.match(/--[\w-]+|\w+$/g) ?? [];

/** Finds the option that has this name in other tools, is spelt this way there, or begins with it. */
function meant(flag: string, options: readonly Option[]): Option | undefined {
  const name = kebab(flag);
  const byName = (wanted: string) => options.find((option) => !option.negate && option.name() === wanted);
  const words = (text: string) => text.split('-').sort().join();
  const others = Object.entries(otherNames).filter(([, list]) => list.includes(name));
  const beginning = options.filter((option) => name.length > 2 && option.name().startsWith(name));
  return (
    byName(name) ??
    others.map(([ours]) => byName(ours)).find((option) => option !== undefined) ??
    options.find((option) => words(option.name()) === words(name)) ??
    (beginning.length === 1 ? beginning[0] : undefined)
  );
}

/** Returns `batch-size` for `--batch_size` and `--batchSize`. */
const kebab = (flag: string): string =>
  flag
    .replace(/^-+/, '')
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replaceAll('_', '-')
    .toLowerCase();

/** The names of these options in PyTorch, Lightning, Hugging Face, Keras and scikit-learn. */
const otherNames: Readonly<Record<string, readonly string[]>> = {
  'learning-rate': ['lr', 'learning-rate-init', 'max-lr', 'step-size', 'alpha'],
  'batch-size': ['b', 'bs', 'train-batch-size', 'per-device-train-batch-size', 'minibatch-size'],
  epochs: ['e', 'n', 'num-epochs', 'n-epochs', 'nb-epochs', 'max-epochs', 'num-train-epochs', 'iterations', 'max-iter'],
  backend: ['device', 'accelerator', 'provider', 'gpu', 'cuda', 'cpu', 'mps', 'engine'],
  threads: ['workers', 'num-workers', 'num-threads', 'n-jobs', 'jobs'],
  'weight-decay': ['wd', 'l2', 'decay'],
  'bn-momentum': ['batch-norm-momentum', 'batchnorm-momentum', 'norm-momentum'],
  optimizer: ['opt', 'optim', 'optimiser', 'solver'],
  schedule: ['scheduler', 'lr-scheduler', 'lr-schedule', 'sched', 'lr-scheduler-type'],
  'warm-up': ['warmup', 'warmup-ratio', 'warmup-steps', 'warmup-epochs', 'pct-start'],
  'clip-norm': ['clip', 'grad-clip', 'clip-grad', 'max-grad-norm', 'gradient-clip-val', 'clip-grad-norm'],
  ema: ['ema-decay', 'model-ema', 'average-weights'],
  'early-stopping': ['patience', 'early-stop', 'n-iter-no-change'],
  objective: ['loss', 'criterion', 'loss-fn'],
  'label-smoothing': ['smoothing'],
  'balance-classes': ['class-weight', 'class-weights', 'weighted', 'balanced'],
  network: ['arch', 'architecture', 'net'],
  hidden: [
    'layers',
    'widths',
    'hidden-size',
    'hidden-sizes',
    'hidden-layers',
    'hidden-layer-sizes',
    'hidden-dim',
    'units',
  ],
  members: ['ensemble', 'ensemble-size', 'n-members', 'num-members', 'k', 'n-estimators'],
  bins: ['n-bins', 'num-bins', 'max-bins', 'ple', 'quantiles'],
  data: ['dataset', 'data-path', 'data-dir', 'csv', 'input', 'train', 'file', 'root'],
  label: ['target', 'y', 'label-column', 'target-column', 'class-column'],
  missing: ['impute', 'imputer', 'fillna'],
  delimiter: ['sep', 'separator'],
  'image-size': ['img-size', 'resize', 'size', 'input-size'],
  'validation-share': ['val-split', 'validation-split', 'validation-size', 'val-size', 'validation-fraction'],
  'test-share': ['test-size', 'test-split', 'test-fraction'],
  seed: ['random-state', 'random-seed', 'manual-seed', 'rng'],
  from: ['pretrained', 'init-from', 'finetune', 'fine-tune', 'weights', 'init'],
  resume: ['continue', 'resume-from', 'resume-from-checkpoint'],
  out: ['o', 'output', 'output-dir', 'out-dir', 'save-dir', 'save', 'logdir', 'log-dir', 'outdir', 'dist'],
  checkpoint: ['ckpt', 'ckpt-path', 'model-path', 'state-dict'],
  model: ['onnx'],
  models: ['model-dir', 'models-dir', 'model-repository'],
  name: ['model-name'],
  force: ['f', 'yes', 'y'],
  percent: ['percentage', 'traffic', 'canary', 'share'],
};

/** Notes on options that mean something else in other tools. */
const notes: Readonly<Record<string, string>> = {
  'bn-momentum': " (the share that is kept: 1 − PyTorch's)",
};
