/**
 * Runs programs as a user does, in a folder outside this repository: they see nothing of the repository, or of the npm
 * that runs the tests.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { delimiter, dirname, join } from 'node:path';

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Surroundings {
  readonly cwd: string;
  /** The Node for all programs; by default the one that runs the tests. */
  readonly node?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
}

const oldest = join(import.meta.dirname, 'node-oldest/node_modules', `node-linux-${process.arch}`, 'bin/node');

/** The oldest Node that the package supports, where this machine has its binary. */
export const oldestNode: string = existsSync(oldest) ? oldest : process.execPath;

/** Runs a program to its end, whatever its exit code. */
export function run(program: string, args: readonly string[], { cwd, ...others }: Surroundings): Promise<Outcome> {
  return new Promise((done) => {
    const options = { cwd, env: environment(others), maxBuffer: 2 ** 26 };
    execFile(program, args, options, (error, stdout, stderr) => {
      done({ code: error ? Number(error.code ?? NaN) : 0, stdout, stderr });
    });
  });
}

/** @throws Error with everything that the program printed, unless it succeeds */
export async function succeed(program: string, args: readonly string[], where: Surroundings): Promise<string> {
  const { code, stdout, stderr } = await run(program, args, where);
  if (code !== 0)
    throw new Error(`${[program, ...args].join(' ').slice(0, 200)}: exit code ${code}\n${stdout}\n${stderr}`);
  return stdout;
}

function environment({ node = process.execPath, env }: Omit<Surroundings, 'cwd'>): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(
    ([name]) => !/^(npm_|INIT_CWD$|VITEST|NODE_|TEST$|FORCE_COLOR$)/i.test(name),
  );
  const path = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules'));
  return {
    ...Object.fromEntries(own),
    PATH: [dirname(node), ...path].join(delimiter),
    NO_COLOR: '1',
    WRANGLER_SEND_METRICS: 'false',
    ...env,
  };
}

export interface Served extends AsyncDisposable {
  readonly url: string;
}

/**
 * Starts `npx wrangler dev` in a folder, and waits until it answers.
 *
 * @throws Error with everything that it printed, where it ends or does not answer in time
 */
export async function serve(cwd: string, timeout: number): Promise<Served> {
  const port = await freePort();
  const args = ['wrangler', 'dev', '--ip', '127.0.0.1', '--port', String(port), '--show-interactive-dev-session=false'];
  // The group is new, so that npx, Wrangler and workerd can be ended together.
  const child = spawn('npx', args, { cwd, env: environment({}), detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const exit = once(child, 'exit');
  const stop = async (): Promise<void> => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGTERM');
    await exit;
  };
  let printed = '';
  const ready = new Promise<void>((resolve) => {
    const read = (chunk: Buffer): void => {
      printed += chunk.toString();
      if (/Ready on http/.test(printed)) resolve();
    };
    for (const stream of [child.stdout, child.stderr]) stream.on('data', read);
  });
  await Promise.race([ready, exit, once(AbortSignal.timeout(timeout), 'abort')]);
  const url = `http://127.0.0.1:${port}`;
  const answer = await fetch(`${url}/v2/health/ready`).catch(() => undefined);
  if (answer?.ok) return { url, [Symbol.asyncDispose]: stop };
  await stop();
  throw new Error(`wrangler dev does not answer:\n${printed}`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
