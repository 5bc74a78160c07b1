/** Runs one measurement in a process of its own, so that it inherits no other's heap, compiled code or threads. */
import { spawn } from 'node:child_process';

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  /** Adds to this process's environment. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Returns the command that runs a TypeScript file with its arguments on this process's Node. */
export const typescript = (file: string, ...args: readonly string[]): Command => ({
  file: process.execPath,
  args: ['--import', 'tsx', file, ...args],
});

/**
 * @returns the JSON in the last line of the command's standard output
 * @throws Error with the end of its standard error when it fails
 */
export async function runFresh({ file, args, environment }: Command): Promise<unknown> {
  const child = spawn(file, args, { env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
  const [output, errors, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve)),
  ]);
  if (code !== 0) throw new Error(`${[file, ...args].join(' ')}: exit code ${code}\n${errors.slice(-2000)}`);
  return JSON.parse(output.trim().split('\n').at(-1) ?? '');
}

async function text(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
