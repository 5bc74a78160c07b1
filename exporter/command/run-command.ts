import type { Command } from 'commander';
import { UserError } from '../../training/files/index.ts';
import { GraphError } from '../../training/graph/index.ts';
import { Interrupted } from '../../training/run/index.ts';

/**
 * Runs a command; a user's mistake becomes one line on standard error and exit code 1.
 *
 * @param readArguments this process's own when omitted
 */
export async function runCommand(
  command: Command,
  readArguments = (): Promise<readonly string[]> => Promise.resolve(process.argv.slice(2)),
): Promise<void> {
  try {
    await command.parseAsync(await readArguments(), { from: 'user' });
  } catch (error) {
    if (!(error instanceof UserError) && !(error instanceof GraphError)) throw error;
    console.error(error instanceof Interrupted ? error.message : `error: ${error.message}`);
    process.exitCode = error instanceof Interrupted ? error.exitCode : 1;
  }
}
