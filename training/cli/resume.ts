/** `--resume` without repeating oneself: the run folder remembers the command that began the run. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { unexpected } from '../errors.ts';
import { readBytes } from '../files.ts';
import { configFile } from './run-folder.ts';

/**
 * The arguments that the run was begun with, and behind them these, which may repeat them. Whether they still describe the
 * same run is checked when it goes on.
 *
 * @throws UserError when the folder's configuration cannot be read
 */
export async function withRecordedArguments(args: readonly string[]): Promise<readonly string[]> {
  const { resume, out, network = 'mnist-cnn' } = parseArgs({ args: [...args], options, strict: false }).values;
  if (!resume) return args;
  const path = join(typeof out === 'string' ? out : join('runs', String(network)), configFile);
  if (!existsSync(path)) return args;
  return [...recordedArguments(path, Buffer.from(await readBytes(path)).toString()), ...args];
}

const options = { resume: { type: 'boolean' }, out: { type: 'string' }, network: { type: 'string' } } as const;

function recordedArguments(path: string, text: string): readonly string[] {
  try {
    const { arguments: recorded = [] } = JSON.parse(text) as { readonly arguments?: readonly string[] };
    if (recorded.every((argument) => typeof argument === 'string')) return recorded;
  } catch {
    // Told below.
  }
  throw unexpected(path, 'the configuration of a run as JSON', 'something else');
}
