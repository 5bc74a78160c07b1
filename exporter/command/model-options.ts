/** The options and arguments that name a run, a checkpoint or a model. */
import { existsSync, statSync } from 'node:fs';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { unexpected, UserError } from '../../training/files/index.ts';
import { findNetwork } from '../../training/run/index.ts';
import type { StatisticsSource } from '../store/card.ts';
import type { ExportOptions } from '../model/export.ts';
import { requireModelName } from '../store/model-name.ts';
import { addReadingOptions, type ReadingFlags, takeReading } from './reading-options.ts';
import { addModelsOption } from './models-option.ts';
import { addDataOptions, type DataFlags, takeDataSource } from './data-options.ts';

export interface ExportFlags extends DataFlags, ReadingFlags {
  readonly checkpoint?: string;
  readonly name?: string;
  readonly statistics: StatisticsSource;
  readonly explain?: boolean;
  readonly monitor?: boolean;
  readonly overwrite?: boolean;
  readonly network?: string;
  readonly models: string;
}

export function addExportOptions(command: Command): Command {
  addModelsOption(command)
    .option('--checkpoint <file>', 'a safetensors checkpoint, in place of a run')
    .option('--name <name>', "the folder in models/ and the name in the URL (default: the run's)")
    .addOption(
      new Option('--statistics <source>', 'Batch Norm statistics: the running average, or a pass over the training set')
        .choices(['running', 'population'])
        .default('running'),
    )
    .option('--explain', 'serve the network a second time, to look inside it (default: as the card says, else not)')
    .option('--no-explain', 'serve it once')
    .option('--monitor', 'count what its answers have in common, to see drift (default: as the card says, else not)')
    .option('--no-monitor', 'count nothing')
    .option('--network <name>', 'a name or a file, for a checkpoint that does not describe its network');
  addReadingOptions(command);
  return addDataOptions(command, 'what the checkpoint was trained on');
}

/** @param run the argument: a run folder or a checkpoint */
export async function exportOptions(
  where: string,
  flags: ExportFlags,
  run: string | undefined,
): Promise<ExportOptions> {
  const { reading, others: unread } = takeReading(flags);
  const { source: data, others } = takeDataSource(unread);
  const checkpoint = oneOf(where, '--checkpoint', run, others.checkpoint);
  if (checkpoint === undefined) throw nothingTo(where);
  if (others.name !== undefined) requireModelName('--name', others.name);
  const network = others.network === undefined ? undefined : await findNetwork(others.network);
  return {
    ...others,
    checkpoint: checkpointOf(checkpoint),
    name: others.name ?? modelName(checkpoint),
    network,
    data,
    reading,
  };
}

const nothingTo = (where: string): UserError =>
  new UserError(
    `${where}: expected a run folder or a checkpoint, such as bn-edge ${where} runs/churn; --help lists all`,
  );

/**
 * Returns an argument, or the option that may be given in its place.
 *
 * @throws UserError if both are given
 */
export function oneOf(
  where: string,
  flag: string,
  argument: string | undefined,
  option: string | undefined,
): string | undefined {
  if (argument !== undefined && option !== undefined)
    throw unexpected(`${where}: ${flag}`, `none beside ${argument}`, option);
  return argument ?? option;
}

/** Says what files of these kinds are, and which command takes them. */
const otherFiles: Readonly<Record<string, string>> = {
  '.onnx': 'an ONNX file, which bn-edge add takes',
  '.csv': 'a table, which bn-edge train takes',
  '.tsv': 'a table, which bn-edge train takes',
  '.npz': 'arrays, which bn-edge train takes',
  '.json': 'a file of JSON',
  '.pt': "PyTorch's own format; save_file of safetensors.torch writes a state dict",
  '.pth': "PyTorch's own format; save_file of safetensors.torch writes a state dict",
  '.ckpt': "PyTorch's own format; save_file of safetensors.torch writes a state dict",
};

/**
 * Returns the checkpoint of a run folder, or the file itself.
 *
 * @throws UserError for a folder without a checkpoint, for a path that does not exist, and for a file of another kind
 */
export function checkpointOf(path: string): string {
  if (!existsSync(path)) {
    const inRuns = join('runs', path);
    const help = existsSync(inRuns) ? `; there is ${inRuns}` : '';
    throw unexpected(path, 'a run folder or a safetensors checkpoint', `no such file or folder${help}`);
  }
  if (!isFolder(path)) {
    const other = otherFiles[extname(path).toLowerCase()];
    if (other !== undefined) throw unexpected(path, 'a run folder or a safetensors checkpoint', other);
    return path;
  }
  const checkpoint = join(path, 'checkpoint.safetensors');
  if (existsSync(checkpoint)) return checkpoint;
  const isRun = existsSync(join(path, 'config.json'));
  const help = isRun ? `; bn-edge train --resume --out ${path} completes the run` : '';
  throw new UserError(`${path}: expected a run folder with checkpoint.safetensors, got none${help}`);
}

export const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

/** Returns the name of the run folder, or of a checkpoint that lies elsewhere. */
function modelName(path: string): string {
  const isInRun = !isFolder(path) && existsSync(join(dirname(path), 'config.json'));
  return isInRun ? basename(dirname(resolve(path))) : basename(resolve(path), extname(path));
}
