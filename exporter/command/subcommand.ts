/** Defines the parts that the subcommands of `bn-edge` have in common. */
import type { Command } from 'commander';
import type { Screen } from '../deploy/wrangler.ts';
import type { StageLine } from './stage.ts';

/** The plain JSON that `--json` prints. */
export type Answer = Readonly<Record<string, unknown>>;

export interface Subcommand {
  /**
   * Adds arguments, options and the action.
   *
   * @param args what the user typed after the command's name
   * @returns the arguments to parse in their place, if the command knows more than was typed
   */
  readonly configure: (command: Command, args: readonly string[]) => Promise<readonly string[]> | undefined;
}

/** The texts above and below the options in the help of a command. */
export interface Page {
  readonly description: string;
  readonly notes?: string;
  readonly examples: readonly [string, string];
}

/**
 * Completes the configuration of a command that takes at most one argument.
 *
 * @param work prints lines for people with `console.log`, which `--json` sends to standard error, and returns the
 *   answer
 */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- Commander does not know what options it reads
export function completeCommand<Flags extends object>(
  command: Command,
  { description, notes, examples }: Page,
  work: (flags: Flags, argument: string | undefined, isJson: boolean) => Promise<Answer>,
): void {
  const epilogue = [
    ...(notes === undefined ? [] : ['', notes]),
    '',
    'Examples:',
    ...examples.map((line) => `  npx ${line}`),
  ];
  command
    .description(description)
    .optionsGroup('Options:')
    .option('--json', 'print one JSON object on standard output, and all else on standard error')
    .helpOption('-h, --help', 'print this page')
    .addHelpText('after', epilogue.join('\n'))
    .action(async (...all: readonly unknown[]) => {
      const [{ json = false, ...flags }, argument] = [command.opts<{ json?: boolean }>(), all[0]];
      const answer = await work(flags as Flags, typeof argument === 'string' ? argument : undefined, json);
      if (json) printJson(answer);
    });
}

type Write = typeof process.stdout.write;

/** Writes to standard output while that is reserved for the answer. */
let writeAnswer: Write | undefined;

/** Does some work under `--json`: any other output, for example by a network's file, goes to standard error. */
export async function withStdoutReserved(work: () => Promise<void>): Promise<void> {
  const write = process.stdout.write.bind(process.stdout);
  writeAnswer = write;
  process.stdout.write = ((...args: Parameters<Write>) => process.stderr.write(...args)) as Write;
  try {
    await work();
  } finally {
    process.stdout.write = write;
    writeAnswer = undefined;
  }
}

/** Prints the only object that a program reads. */
export function printJson(answer: Answer): void {
  const line = `${JSON.stringify(answer)}\n`;
  if (writeAnswer) writeAnswer(line);
  else process.stdout.write(line);
}

/** Returns the screen on which a deployment shows its progress. */
export const screenOf = ({ print, show }: StageLine, isJson: boolean): Screen => ({
  print,
  onStage: show,
  stdout: isJson ? 2 : 1,
});
