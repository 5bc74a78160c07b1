/** Runs `bn-edge` as a user does, in a process of its own. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  /** Standard error, without line breaks at its end and without the lines of slow stages. */
  readonly stderr: string;
}

export interface Where {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The lines of standard output that are read before it is closed; all by default. */
  readonly readsLines?: number;
  /** The milliseconds after which the process is killed. */
  readonly timeout?: number;
}

const root = join(import.meta.dirname, '..');
const main = join(root, 'exporter/command/main.ts');
// The loader is resolved from this file, whatever the command's working directory is.
const tsx = import.meta.resolve('tsx');

/** Leaves out the lines that name a stage of the command once it takes ten seconds, as on a machine that others use. */
export const withoutStages = (stderr: string, command = ''): string =>
  stderr
    .split('\n')
    .filter((line) => !line.startsWith(`${command}: `))
    .join('\n')
    .trimEnd();

export function bnEdge(
  args: readonly string[],
  { cwd = root, env = {}, readsLines = Infinity, timeout = 0 }: Where = {},
): Promise<Outcome> {
  const killed = { timeout, killSignal: 'SIGKILL' } as const;
  const options = { cwd, env: { ...process.env, npm_lifecycle_event: undefined, ...env }, ...killed };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, ['--import', tsx, main, ...args], options, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr: withoutStages(stderr, args[0]) });
    });
    let lines = 0;
    child.stdout?.on('data', (text: string) => {
      lines += text.split('\n').length - 1;
      if (lines >= readsLines) child.stdout?.destroy();
    });
  });
}
