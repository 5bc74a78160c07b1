import type { Command } from 'commander';
import { UserError } from '../errors.ts';
import { GraphError } from '../graph/index.ts';

/** Runs a command with this process's arguments; a user's mistake becomes one line on standard error and exit code 1. */
export async function runCommand(command: Command): Promise<void> {
  try {
    await command.parseAsync();
  } catch (error) {
    if (!(error instanceof UserError) && !(error instanceof GraphError)) throw error;
    console.error(`error: ${error.message}`);
    process.exitCode = 1;
  }
}
