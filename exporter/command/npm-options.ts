/**
 * Detects options that npm consumed: `npm run train --resume` runs the script without the option and sets
 * `npm_config_resume`.
 */
import type { Command, Option } from 'commander';
import { wrongUse } from './usage.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws CommanderError for the first option of a command that npm consumed */
export function refuseSwallowed(command: Command, args: readonly string[], env: Environment): void {
  const script = env['npm_lifecycle_event'];
  // npx passes on everything after the command.
  if (script === undefined || script === 'npx') return;
  const swallowed = command.options.find((option) => isSwallowed(option, args, env));
  if (!swallowed) return;
  const { long } = swallowed;
  const run = script === 'start' || script === 'test' ? `npm ${script}` : `npm run ${script}`;
  throw wrongUse(
    `${long ?? ''}: npm took this option for its own; put -- before options: ${run} -- ${typed(swallowed, env)}`,
  );
}

/** Is true for an option that npm consumed, and false if it was passed on as well. */
function isSwallowed(option: Option, args: readonly string[], env: Environment): boolean {
  const value = env[variableOf(option)];
  if (value === undefined || args.some((arg) => [option.long, option.short].includes(arg.split('=')[0]))) return false;
  // npm sets the same variable for --header and --no-header, and leaves it empty for the latter.
  return option.negate === (value === '');
}

/** Returns the option as it should have been typed. If npm took it for a switch, its value is unknown. */
function typed(option: Option, env: Environment): string {
  const value = env[variableOf(option)] ?? '';
  if (!option.required && !option.optional) return option.long ?? '';
  return value === 'true' ? option.flags : `${option.long ?? ''} ${value}`;
}

const variableOf = ({ long = '' }: Option): string =>
  `npm_config_${long.replace(/^--(no-)?/, '').replaceAll('-', '_')}`;
