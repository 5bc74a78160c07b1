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
}

const root = join(import.meta.dirname, '..');
const main = join(root, 'exporter/command/main.ts');
// Found from here, wherever the command runs.
const tsx = import.meta.resolve('tsx');

export function bnEdge(args: readonly string[], { cwd = root, env = {} }: Where = {}): Promise<Outcome> {
  const options = { cwd, env: { ...process.env, npm_lifecycle_event: undefined, ...env } };
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', tsx, main, ...args], options, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr: stderr.trimEnd() });
    });
  });
}
