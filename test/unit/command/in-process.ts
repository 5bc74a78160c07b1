/** Runs `bn-edge` without a process of its own, and returns its output and exit code. */
import { vi } from 'vitest';
import { runProgram } from '../../../exporter/command/cli.ts';
import type { Outcome } from '../../command.ts';

export async function run(...args: readonly string[]): Promise<Outcome> {
  const [before, out, err] = [globalThis.console, [] as string[], [] as string[]];
  const into = (lines: string[]) => (text: string | Uint8Array) => lines.push(String(text)) > 0;
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation(into(out)),
    vi.spyOn(process.stderr, 'write').mockImplementation(into(err)),
    vi.spyOn(console, 'log').mockImplementation((line) => out.push(`${String(line)}\n`)),
    vi.spyOn(console, 'error').mockImplementation((line) => err.push(`${String(line)}\n`)),
  ];
  process.exitCode = 0;
  try {
    await runProgram(args);
    return { code: process.exitCode, stdout: out.join(''), stderr: err.join('').trimEnd() };
  } finally {
    for (const spy of spies) spy.mockRestore();
    globalThis.console = before;
    process.exitCode = 0;
  }
}
