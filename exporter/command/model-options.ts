/** The options and arguments that say which run, which checkpoint, which model. */
import { existsSync, statSync } from 'node:fs';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { unexpected, UserError } from '../../training/files/index.ts';
import { findNetwork } from '../../training/run/index.ts';
import type { StatisticsSource } from '../store/card.ts';
import type { ExportOptions } from '../model/export.ts';
import { addDataOptions, type DataFlags, takeDataSource } from './data-options.ts';

export interface ExportFlags extends DataFlags {
  readonly checkpoint?: string;
  readonly name?: string;
  readonly statistics: StatisticsSource;
  readonly network?: string;
  readonly explain?: boolean;
  readonly models: string;
}

/** Where models are kept, for every command that reads or writes them. */
export const addModelsOption = (command: Command): Command =>
  command.addOption(new Option('--models <folder>', 'where models are kept').env('MODELS_DIR').default('models'));

export function addExportOptions(command: Command): Command {
  addModelsOption(command)
    .option('--checkpoint <file>', 'a safetensors checkpoint, in place of a run')
    .option('--name <name>', "the folder in models/ and the name in the URL (default: the run's)")
    .addOption(
      new Option('--statistics <source>', 'Batch Norm statistics: the running average, or a pass over the training set')
        .choices(['running', 'population'])
        .default('running'),
    )
    .option('--network <name>', 'a name or a file, for a checkpoint that does not describe its network')
    .option('--explain', 'deploy the network twice, to show what Batch Norm does (default: as before, at first not)');
  return addDataOptions(command, 'what the checkpoint was trained on');
}

/** @param run the argument: a run folder or a checkpoint */
export async function exportOptions(
  where: string,
  flags: ExportFlags,
  run: string | undefined,
): Promise<ExportOptions> {
  const { source: data, others } = takeDataSource(flags);
  const checkpoint = oneOf(where, '--checkpoint', run, others.checkpoint);
  if (checkpoint === undefined) throw nothingTo(where);
  const network = others.network === undefined ? undefined : await findNetwork(others.network);
  return { ...others, checkpoint: checkpointOf(checkpoint), name: others.name ?? modelName(checkpoint), network, data };
}

const nothingTo = (where: string): UserError =>
  new UserError(
    `${where}: expected a run folder or a checkpoint, such as bn-edge ${where} runs/churn; --help lists all`,
  );

/** An argument that an option may stand for. @throws UserError for both */
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

/**
 * The checkpoint of a run folder; a file is one itself.
 * @throws UserError for a folder without one
 */
export function checkpointOf(path: string): string {
  if (!isFolder(path)) return path;
  const checkpoint = join(path, 'checkpoint.safetensors');
  if (existsSync(checkpoint)) return checkpoint;
  const isRun = existsSync(join(path, 'config.json'));
  const help = isRun ? `; bn-edge train --resume --out ${path} completes the run` : '';
  throw new UserError(`${path}: expected a run folder with checkpoint.safetensors, got none${help}`);
}

export const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

/** The name of the run folder, or of a checkpoint that lies elsewhere. */
function modelName(path: string): string {
  const isInRun = !isFolder(path) && existsSync(join(dirname(path), 'config.json'));
  return isInRun ? basename(dirname(resolve(path))) : basename(resolve(path), extname(path));
}
