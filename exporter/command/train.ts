/** The command `bn-edge train`, with its help. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { BackendName, StepperName } from '../../training/backend/index.ts';
import type { Augmentation } from '../../training/data/index.ts';
import { unexpected, UserError } from '../../training/files/index.ts';
import { type Length, type ObjectiveFlags, trainToFolder } from '../../training/run/index.ts';
import type { TrainingConfig } from '../../training/trainer/index.ts';
import { type DataFlags, takeDataSource } from './data-options.ts';
import { printOutcome } from './outcome.ts';
import { forTheRecord, withRecordedArguments } from './resume.ts';
import { type Answer, completeCommand, type Subcommand } from './subcommand.ts';
import { terminalReporter } from './terminal.ts';
import { addTrainOptions } from './train-options.ts';

interface Flags
  extends Omit<TrainingConfig, 'objective' | 'augment' | keyof Length>, Partial<Length>, ObjectiveFlags, DataFlags {
  readonly network?: string;
  readonly hidden?: readonly number[];
  readonly members?: number;
  readonly bins?: number;
  readonly folds?: number;
  readonly refit?: true;
  readonly from?: string;
  readonly backend: BackendName;
  readonly threads?: number;
  readonly spinning?: boolean;
  readonly stepper?: StepperName;
  readonly out?: string;
  readonly resume?: true;
  readonly overwrite?: true;
  readonly augment?: 'all' | Augmentation;
}

export const train: Subcommand = {
  configure: async (command, typed) => {
    addTrainOptions(command);
    const args = await withRecordedArguments(command, typed);
    completeCommand<Flags>(command, page, (flags, data) => run(withData(flags, data), forTheRecord(command, args)));
    return args;
  },
};

/** @throws UserError if both the argument and --data are given */
function withData(flags: Flags, data: string | undefined): Flags {
  if (data === undefined) return flags;
  if (flags.data !== undefined) throw unexpected('--data', `no other data beside ${data}`, flags.data);
  return { ...flags, data };
}

async function run(flags: Flags, record: readonly string[]): Promise<Answer> {
  const { source, others } = takeDataSource(flags);
  if (!source) throw nothingToTrainOn(flags);
  if (existsSync(join(source.path ?? '', 'last.safetensors')))
    throw unexpected('train', 'data', `the run ${source.path ?? ''}; --resume --out ${source.path ?? ''} resumes it`);
  const options = optionsOf(others);
  const trained = await trainToFolder({ ...options, data: source, arguments: record }, terminalReporter());
  return printOutcome(trained, options.config);
}

/** Arranges the flags as the options of a run: those that are not named here make its configuration. */
function optionsOf({
  network,
  hidden,
  members,
  bins,
  folds,
  refit,
  from,
  backend,
  augment,
  objective,
  labelSmoothing,
  balanceClasses,
  huberDelta,
  threads,
  spinning,
  stepper,
  out,
  resume,
  overwrite,
  ...config
}: Omit<Flags, keyof DataFlags>) {
  return {
    ...{ network, hidden, members, bins, folds, refit, from, backend, config, augment },
    objective: { objective, labelSmoothing, balanceClasses, huberDelta },
    ...{ threads, spinning, stepper, out, resume, overwrite },
  };
}

function nothingToTrainOn({ resume }: Flags): UserError {
  return new UserError(
    resume
      ? 'train: expected the run to resume, such as bn-edge train --resume --out runs/churn; --help lists all'
      : 'train: expected a data file or folder, such as bn-edge train churn.csv --label churned; --help lists all',
  );
}

const page = {
  description: 'Train a Batch Normalization network on a table, pictures or arrays, and leave a run folder.',
  notes: `Ctrl-C saves and stops; again, it stops at once. The run folder holds
checkpoint.safetensors for bn-edge export and bn-edge evaluate,
best.safetensors, last.safetensors for --resume, config.json, metrics.jsonl,
figures/, and event files for tensorboard --logdir runs.`,
  examples: [
    'bn-edge train churn.csv --label churned',
    'bn-edge train pictures --image-size 32 --epochs 50 --early-stopping 5',
  ],
} as const;
