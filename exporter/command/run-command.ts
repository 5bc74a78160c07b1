/** Runs a command. Any error that the user can resolve becomes one line on standard error and exit code 1. */
import { Console } from 'node:console';
import { constants } from 'node:os';
import { type Command, CommanderError } from 'commander';
import type { UserError } from '../../training/files/index.ts';
import { refuseSwallowed } from './npm-options.ts';
import { printJson, withStdoutReserved } from './subcommand.ts';
import { explainUsage, wrongUse } from './usage.ts';

/** Runs a command that is a program of its own. */
export function runCommand(command: Command): Promise<void> {
  const args = process.argv.slice(2);
  return reporting(args, async () => {
    refuseSwallowed(command, args, process.env);
    await parse(command, args);
  });
}

/**
 * Parses the arguments and runs the command.
 *
 * @throws CommanderError for a wrong use
 */
export async function parse(command: Command, args: readonly string[], program = command): Promise<void> {
  for (const each of new Set([command, program])) {
    each.exitOverride().configureOutput({ outputError: () => undefined });
  }
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help and the version have been printed.
    if (error.exitCode !== 0) throw wrongUse(explainUsage(error.message, command));
  }
}

/** Does some work; an error is printed, and decides the exit code. With `--json` only objects go to standard output. */
export function reporting(args: readonly string[], work: () => Promise<void>): Promise<void> {
  const isJson = args.includes('--json');
  if (!isJson) return reportErrors(work, false);
  globalThis.console = new Console(process.stderr, process.stderr);
  return withStdoutReserved(() => reportErrors(work, true));
}

async function reportErrors(work: () => Promise<void>, isJson: boolean): Promise<void> {
  using _ = endsOnSignals((line) => {
    console.error(line);
    if (isJson) printJson({ error: line });
  });
  try {
    await work();
  } catch (error) {
    const { message, exitCode } = await failureOf(error);
    console.error(message === undefined ? error : exitCode === 1 ? `error: ${message}` : message);
    if (isJson) printJson({ error: message ?? String(error) });
    process.exitCode = exitCode;
  }
}

/** The same signals as in training/process, which is not imported here, so that help is quick. */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Ends the process on these signals until it is disposed, unless something else handles the signal, to save work first.
 * At the exit, `atExit` cleans up half-done work and ends started processes.
 *
 * @param print prints the line
 */
function endsOnSignals(print: (line: string) => void): Disposable {
  const end = (signal: (typeof signals)[number]) => {
    if (process.listenerCount(signal) > 1) return;
    print('interrupted');
    // The exit code is 128 plus the signal's number, as in shells.
    process.exit(128 + constants.signals[signal]);
  };
  for (const signal of signals) process.on(signal, end);
  return {
    [Symbol.dispose]: () => {
      for (const signal of signals) process.off(signal, end);
    },
  };
}

/** What is printed of an error: one line if the user can resolve it, and the whole stack if it is a bug of bn-edge. */
interface Failure {
  /** Absent for a bug. */
  readonly message?: string;
  readonly exitCode: number;
}

async function failureOf(error: unknown): Promise<Failure> {
  if (!(error instanceof Error)) return { exitCode: 1 };
  if (isUserError(error)) return error;
  // If one was thrown, the module is loaded already; help must not wait for it.
  const { GraphError } = await import('../../training/graph/index.ts');
  if (error instanceof CommanderError || error instanceof GraphError) return { message: error.message, exitCode: 1 };
  return { ...(await failureOfFiles(error)), exitCode: 1 };
}

/** Recognises the error by its name: a network file may import another copy of this package, and throw that copy's. */
const isUserError = (error: Error): error is UserError => error.name === 'UserError';

/** Describes a failed call of the file system, such as `EACCES: permission denied, mkdir '/runs'`, in one line. */
async function failureOfFiles(error: NodeJS.ErrnoException): Promise<Pick<Failure, 'message'>> {
  const { printable } = await import('../../training/files/index.ts');
  const { path, syscall, code = '' } = error;
  const [, reason] = /^[A-Z]+: (.+?), /.exec(error.message) ?? [];
  if (!syscall || !reason) return {};
  // A file that is open already has no name in the message.
  if (!path) return noRoom.includes(code) ? { message: `a file cannot be written: ${reason}` } : {};
  return { message: `${printable(path)}: cannot ${verbs[syscall] ?? syscall}: ${reason}` };
}

/** The disk is full, the quota is used up, or the file is too large. */
const noRoom: readonly string[] = ['ENOSPC', 'EDQUOT', 'EFBIG'];

/** Describes calls of the file system whose names do not say what they do. */
const verbs: Readonly<Record<string, string>> = {
  mkdir: 'make the folder',
  mkdtemp: 'make a folder',
  scandir: 'list the folder',
  rm: 'remove',
  unlink: 'remove',
  lstat: 'read',
  stat: 'read',
  access: 'read',
};
