/** Lets `train --resume` do without the other options: the run folder records the arguments that began the run. */
import { existsSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { sourceName } from '../../training/data/index.ts';
import { readBytes, unexpected } from '../../training/files/index.ts';
import { configurationIn } from '../../training/run/index.ts';
import { mnist } from './data-options.ts';

/** An option with its values, under the name of its flag in the program. */
interface Argument {
  readonly name: string;
  readonly tokens: readonly string[];
}

/**
 * Returns the arguments of the run's last start or resumption, without the options that are repeated in `typed`, and
 * then those in `typed`. Whether they still describe the same run is checked when it resumes.
 *
 * @throws UserError if the folder's configuration cannot be read
 */
export async function withRecordedArguments(command: Command, typed: readonly string[]): Promise<readonly string[]> {
  const given = argumentsOf(command, typed);
  const folder = runFolder(given);
  if (folder === undefined || valueOf(given, 'resume') === undefined) return typed;
  const path = configurationIn(folder);
  if (!existsSync(path)) return typed;
  const { directory, ...record } = recordIn(path, Buffer.from(await readBytes(path)).toString());
  const recorded = argumentsOf(command, record.arguments).map(fromHere(resolve(folder, directory)));
  const repeated = new Set(given.map(({ name }) => name));
  const all = [...recorded.filter(({ name }) => !repeated.has(name)), ...given];
  // Runs recorded before data had to be named are on MNIST.
  const hasData = all.some(({ name }) => name === 'data');
  return [...(hasData ? [] : ['--data', mnist]), ...all.flatMap(({ tokens }) => tokens)];
}

/**
 * Returns the arguments that the run folder records: all but how the result is printed, with the data as an option,
 * which can be repeated.
 */
export const forTheRecord = (command: Command, args: readonly string[]): readonly string[] =>
  argumentsOf(command, args).flatMap(({ name, tokens }) => (name === 'json' ? [] : tokens));

/** Splits arguments as Commander does. The first one that is not an option is the data. */
function argumentsOf(command: Command, args: readonly string[]): readonly Argument[] {
  const found: Argument[] = [];
  for (let at = 0; at < args.length; at += found.at(-1)?.tokens.length ?? 1) {
    const [token = '', ...rest] = args.slice(at);
    const [flag = token] = token.startsWith('--') ? token.split('=') : [token];
    const option = command.options.find(({ long, short }) => long === flag || short === flag);
    if (!option) {
      found.push({ name: isOption(token) ? flag : 'argument', tokens: [token] });
      continue;
    }
    const end = rest.findIndex((value, i) => i > 0 && isOption(value));
    const many = end < 0 ? rest.length : end;
    const takesNone = (!option.required && !option.optional) || token.includes('=');
    const count = takesNone ? 0 : option.variadic ? many : 1;
    found.push({ name: option.attributeName(), tokens: [token, ...rest.slice(0, count)] });
  }
  const data = found.find(({ name }) => name === 'argument');
  return found.map((each) => (each === data ? { name: 'data', tokens: ['--data', ...each.tokens] } : each));
}

const isOption = (token: string): boolean => token.length > 1 && token.startsWith('-');

/** Returns the value of an option, or the option itself if it has none. */
function valueOf(given: readonly Argument[], wanted: string): string | undefined {
  const [token, value] = given.findLast(({ name }) => name === wanted)?.tokens ?? [];
  return value ?? (token?.split('=').slice(1).join('=') || token);
}

/** Returns the folder of a run, which is named after its network, or after its data if the network is made for them. */
function runFolder(given: readonly Argument[]): string | undefined {
  const [out, network, data] = ['out', 'network', 'data'].map((name) => valueOf(given, name));
  const isDense = ['hidden', 'members'].some((name) => valueOf(given, name) !== undefined);
  if (out !== undefined) return out;
  if (data === mnist && network === undefined && !isDense) return join('runs', 'mnist-cnn');
  const path = network ?? data;
  return path === undefined ? undefined : join('runs', sourceName({ path: path === mnist ? undefined : path }));
}

/** The options whose values are paths, or may be: --label may also be a column, --network a name. */
const paths: ReadonlyMap<string, RegExp> = new Map([
  ['data', /./],
  ['from', /./],
  ['label', /\.npy$/],
  ['network', /\.([cm]?[jt]s|json)$/],
]);

/**
 * Returns a function that resolves recorded paths from the directory in which the run was started. A path that does not
 * exist there is left as it is: the run may have been moved away from its data.
 */
function fromHere(directory: string): (argument: Argument) => Argument {
  const moved = (value: string, kind: RegExp): string => {
    const there = resolve(directory, value);
    return kind.test(value) && value !== mnist && existsSync(there) ? relative('.', there) || '.' : value;
  };
  return ({ name, tokens }) => {
    const kind = paths.get(name);
    if (!kind) return { name, tokens };
    const [first = '', ...values] = tokens;
    const [, flag, value = ''] = /^(--[^=]+=)(.*)$/.exec(first) ?? [];
    return {
      name,
      tokens: [flag === undefined ? first : `${flag}${moved(value, kind)}`, ...values.map((each) => moved(each, kind))],
    };
  };
}

interface Recorded {
  readonly arguments: readonly string[];
  /** The directory in which they were typed, relative to the run folder; by default the current one. */
  readonly directory: string;
}

function recordIn(path: string, text: string): Recorded {
  try {
    const { arguments: recorded = [], directory = process.cwd() } = JSON.parse(text) as Partial<Recorded>;
    if (typeof directory === 'string' && recorded.every((argument) => typeof argument === 'string'))
      return { arguments: recorded, directory };
  } catch {
    // The error is thrown below.
  }
  throw unexpected(path, 'the configuration of a run as JSON', 'something else');
}
