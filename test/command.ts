/** `bn-edge` as a user runs it, in a process of its own. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  /** Without line breaks at its end. */
  readonly stderr: string;
}

export interface Where {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** How many lines of standard output are read before it is closed; all when omitted. */
  readonly readsLines?: number;
  /** After so many milliseconds it is killed, whatever it waits for. */
  readonly timeout?: number;
}

const root = join(import.meta.dirname, '..');
const main = join(root, 'exporter/command/main.ts');
// Found from here, wherever the command runs.
const tsx = import.meta.resolve('tsx');

export function bnEdge(
  args: readonly string[],
  { cwd = root, env = {}, readsLines = Infinity, timeout = 0 }: Where = {},
): Promise<Outcome> {
  const killed = { timeout, killSignal: 'SIGKILL' } as const;
  const options = { cwd, env: { ...process.env, npm_lifecycle_event: undefined, ...env }, ...killed };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, ['--import', tsx, main, ...args], options, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr: stderr.trimEnd() });
    });
    let lines = 0;
    child.stdout?.on('data', (text: string) => {
      lines += text.split('\n').length - 1;
      if (lines >= readsLines) child.stdout?.destroy();
    });
  });
}
