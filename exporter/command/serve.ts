/** Runs the Worker on this machine with `wrangler dev`: no account, no network, no telemetry. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../../training/files/index.ts';
import { endsWithUs, ownGroup, signalGroup } from '../../training/process/index.ts';
import { wranglerEntry, wranglerEnvironment } from '../deploy/wrangler.ts';

export interface Server {
  readonly url: string;
  /**
   * Resolves once the server has been stopped.
   *
   * @throws UserError if it ends by itself, with the last lines that it printed
   */
  readonly ended: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Settings of the Worker beside wrangler.toml. */
export interface ServeOptions {
  /** `assets` is the folder of files that are served unchanged. */
  readonly assets?: string;
  /** `vars` holds variables of its environment. */
  readonly vars?: Readonly<Record<string, string>>;
}

const host = '127.0.0.1';
const portsToTry = 20;
/** The first build specialises the runtime, which can take minutes on a busy machine. */
const readyWithinMs = 300_000;

/**
 * @param port the first port to try
 * @throws UserError if the Worker does not get ready, with the last lines that it printed
 */
export async function serveLocally(port: number, { assets, vars = {} }: ServeOptions = {}): Promise<Server> {
  const free = await freePort(port);
  const options = [
    ...['--ip', host, '--port', String(free), '--show-interactive-dev-session=false'],
    ...(assets === undefined ? [] : ['--assets', assets]),
    ...Object.entries(vars).flatMap(([name, value]) => ['--var', `${name}:${value}`]),
  ];
  const child = spawn(process.execPath, [wranglerEntry(), 'dev', ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...wranglerEnvironment(), NO_COLOR: '1' },
    ...ownGroup,
  });
  endsWithUs(child);
  const output = collectOutput(child);
  const exit = once(child, 'exit');
  let isStopped = false;
  const server: Server = {
    url: `http://${host}:${free}`,
    ended: async () => {
      await exit;
      if (!isStopped) throw new UserError(`wrangler dev: it ended by itself:\n${output()}`);
    },
    stop: () => {
      isStopped = true;
      return stop(child, exit);
    },
  };
  await ready(server, child, output);
  return server;
}

/** Polls until the Worker answers, its process ends, or the time is up. */
async function ready({ url, stop: stopServer }: Server, child: ChildProcess, output: () => string): Promise<void> {
  const deadline = performance.now() + readyWithinMs;
  while (!hasEnded(child) && performance.now() < deadline) {
    const response = await fetch(`${url}/v2/health/ready`).catch(() => undefined);
    if (response?.ok) return;
    await sleep(100);
  }
  await stopServer();
  throw new UserError(`wrangler dev: the Worker did not get ready:\n${output()}`);
}

async function stop(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  if (hasEnded(child)) return;
  signalGroup(child, 'SIGTERM');
  await ended;
}

/** Is true once the process has ended, by itself or by a signal, which leaves no exit code. */
const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null;

/** Returns a function that returns the last lines that the process has printed so far. */
function collectOutput(child: ChildProcess): () => string {
  const chunks: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
  return () => chunks.join('').trimEnd().split('\n').slice(-20).join('\n');
}

async function freePort(first: number): Promise<number> {
  for (let port = first; port < first + portsToTry; port++) {
    if (await isFree(port)) return port;
  }
  throw new UserError(`--port: expected a free port from ${first} to ${first + portsToTry - 1}, got none`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, host);
  const outcome = await Promise.race([
    once(server, 'listening').then(() => true),
    once(server, 'error').then(() => false),
  ]).catch(() => false);
  server.close();
  return outcome;
}
