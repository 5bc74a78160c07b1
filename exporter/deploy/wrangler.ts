/**
 * Runs Wrangler's command line, and reads what it did from the lines of JSON that it writes:
 * https://developers.cloudflare.com/workers/wrangler/system-environment-variables/ (WRANGLER_OUTPUT_FILE_PATH)
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { delimiter, dirname, join, resolve } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { UserError } from '../../training/files/index.ts';
import { type Ended, Interrupted, runNode, withScratch } from '../../training/process/index.ts';

/** The members of the lines, of all types, that are read here. */
interface OutputLine {
  readonly type: string;
  readonly version_id?: string | null;
}

/** Shows the progress of a deployment: printed lines, the current stage, and Wrangler's own output. */
export interface Screen {
  readonly print: (line: string) => void;
  readonly onStage: (stage: string) => void;
  /** The file descriptor that Wrangler's standard output goes to. */
  readonly stdout: 1 | 2;
}

/** Lists the files in the order in which Wrangler looks for its configuration. */
export const configurations = ['wrangler.toml', 'wrangler.json', 'wrangler.jsonc'] as const;

/** @throws UserError if this folder is not a Wrangler project */
export function requireProject(command: string): void {
  if (configurations.some((file) => existsSync(file))) return;
  throw new UserError(`${command}: expected a wrangler.toml in this folder, got none; run bn-edge init first`);
}

interface Listening {
  /** The file descriptor of this process that Wrangler prints to. By default what it prints is not shown. */
  readonly stdout?: Screen['stdout'];
  readonly interruption?: AbortSignal;
}

interface Outcome extends Ended {
  /** `lines` holds what Wrangler wrote about what it did. */
  readonly lines: readonly OutputLine[];
}

/**
 * Runs a command of Wrangler.
 *
 * @throws UserError with the first error that it printed, or with its exit code if its output was shown
 * @throws Interrupted once all processes that it started have ended
 */
export async function wrangler(
  command: string,
  options: readonly string[],
  models: string,
  listening: Listening = {},
): Promise<Outcome> {
  const outcome = await tryWrangler(command, options, models, listening);
  if (listening.interruption?.aborted) throw new Interrupted(listening.interruption, 'interrupted');
  if (outcome.code !== 0) throw failure(command, outcome);
  return outcome;
}

export const failure = (command: string, { stderr, code }: Outcome): UserError =>
  new UserError(`wrangler ${command}: ${firstError(stderr) ?? `exit code ${code}`}`);

/** Runs a command of Wrangler, and returns whether or not it succeeds. */
export function tryWrangler(
  command: string,
  options: readonly string[],
  models: string,
  { stdout, interruption }: Listening = {},
): Promise<Outcome> {
  return withScratch('wrangler', async (folder) => {
    const output = join(folder, 'output.ndjson');
    const env = { MODELS_DIR: resolve(models), WRANGLER_OUTPUT_FILE_PATH: output };
    const outcome = await runNode([wranglerEntry(), ...command.split(' '), ...options], {
      env: { ...wranglerEnvironment(), ...env },
      stdout,
      interruption,
    });
    return { ...outcome, lines: existsSync(output) ? parseLines(await readFile(output, 'utf8')) : [] };
  });
}

/**
 * Returns an environment without telemetry. Its PATH makes the build that Wrangler runs find what the project has
 * installed, `bn-edge` among it.
 */
export function wranglerEnvironment(): NodeJS.ProcessEnv {
  const path = [resolve('node_modules/.bin'), process.env['PATH']].join(delimiter);
  return { ...process.env, PATH: path, WRANGLER_SEND_METRICS: 'false', WRANGLER_HIDE_BANNER: 'true' };
}

/**
 * Returns Wrangler's entry file, so that no shell is needed on any system: the project's own Wrangler, or one that is
 * installed beside this package.
 *
 * @throws UserError if there is none
 */
export function wranglerEntry(): string {
  for (const from of [resolve('package.json'), import.meta.url]) {
    try {
      return join(dirname(createRequire(from).resolve('wrangler/package.json')), 'bin/wrangler.js');
    } catch {
      // It is not installed there.
    }
  }
  throw new UserError('wrangler: expected it to be installed, got none; run npm i -D wrangler');
}

/**
 * Returns the line of a type. Its absence is an error: if the working process is killed, for example because memory is
 * short, Wrangler's exit code is 0.
 *
 * @throws UserError if Wrangler has not written that line
 */
export function requireLine(command: string, { lines }: Outcome, type: string): OutputLine {
  const line = lines.find((each) => each.type === type);
  if (!line) throw new UserError(`wrangler ${command}: it ended before it was done`);
  return line;
}

/** Parses lines of JSON. The last one may be cut off, where Wrangler was killed. */
export const parseLines = (ndjson: string): readonly OutputLine[] =>
  ndjson.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line) as OutputLine];
    } catch {
      return [];
    }
  });

const firstError = (stderr: string): string | undefined =>
  /\[ERROR\]\s+(.+)/.exec(stripVTControlCharacters(stderr))?.[1];
