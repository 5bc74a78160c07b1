/** `--resume` without repeating oneself: the run folder remembers the command that began the run. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { sourceName } from '../data/index.ts';
import { readBytes, unexpected } from '../files/index.ts';
import { configFile } from './run-folder.ts';

/**
 * The arguments that the run was begun with, or last went on with, but for the options that are repeated in these, which come
 * behind. Whether they still describe the same run is checked when it goes on.
 *
 * @throws UserError when the folder's configuration cannot be read
 */
export async function withRecordedArguments(args: readonly string[]): Promise<readonly string[]> {
  const { resume, out, ...rest } = parseArgs({ args: [...args], options, strict: false }).values;
  if (!resume) return args;
  const path = join(typeof out === 'string' ? out : join('runs', runName(rest)), configFile);
  if (!existsSync(path)) return args;
  const recorded = recordedArguments(path, Buffer.from(await readBytes(path)).toString());
  return [...without(recorded, new Set(args.filter(isOption).map(nameOf))), ...args];
}

const string = { type: 'string' } as const;
const options = { resume: { type: 'boolean' }, out: string, network: string, data: string, hidden: string } as const;

/** The network's name, which is that of its data where it is made for them. */
function runName({ network, data, hidden }: Readonly<Record<string, unknown>>): string {
  if (typeof network === 'string') return network;
  if (data === undefined && hidden === undefined) return 'mnist-cnn';
  return sourceName({ path: typeof data === 'string' ? data : undefined });
}

/** An option with all its values. */
function without(args: readonly string[], names: ReadonlySet<string>): readonly string[] {
  let isLeftOut = false;
  return args.filter((arg) => {
    if (isOption(arg)) isLeftOut = names.has(nameOf(arg));
    return !isLeftOut;
  });
}

const isOption = (arg: string): boolean => arg.startsWith('--');
const nameOf = (arg: string): string => arg.split('=')[0] ?? arg;

function recordedArguments(path: string, text: string): readonly string[] {
  try {
    const { arguments: recorded = [] } = JSON.parse(text) as { readonly arguments?: readonly string[] };
    if (recorded.every((argument) => typeof argument === 'string')) return recorded;
  } catch {
    // Told below.
  }
  throw unexpected(path, 'the configuration of a run as JSON', 'something else');
}
