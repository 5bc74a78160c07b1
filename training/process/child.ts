/** Processes that this one starts. Each leads a group of its own, so that a signal reaches what it has started in turn. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { atExit } from '../files/index.ts';

/** For `spawn`. Windows has no groups, and would open a window. */
export const ownGroup = { detached: process.platform !== 'win32' } as const;

/** To a process that was started as `ownGroup` says, and all that it has started. */
export function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(ownGroup.detached ? -child.pid : child.pid, signal);
  } catch {
    // It has ended.
  }
}

/**
 * Loaded before a program of Node's: when whoever has started it has ended, even by `kill -9`, so does it, with its group. The pipe at
 * 3 closes then. What it starts in turn, with the same options, has something else there.
 */
const lifeline = `data:text/javascript,${encodeURIComponent(`
  import { Socket } from 'node:net';
  if (process.env.BN_EDGE_LIFELINE === String(process.ppid)) {
    const pipe = new Socket({ fd: 3 }).on('error', () => {}).on('close', () => process.kill(0, 'SIGKILL'));
    pipe.resume().unref();
  }
`)}`;

/** Until it has ended by itself. */
export function endsWithUs(child: ChildProcess): void {
  const end = atExit(() => {
    signalGroup(child, 'SIGKILL');
  });
  child.once('exit', () => {
    end[Symbol.dispose]();
  });
}

export interface NodeOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** Where its standard output goes, as a file descriptor, and its errors beside ours; both are returned when omitted. */
  readonly stdout?: 1 | 2 | undefined;
  /** Ends it, and all that it has started: it has five seconds to put things in order. */
  readonly interruption?: AbortSignal | undefined;
}

export interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  /** None where a signal has ended it. */
  readonly code: number | null;
}

/** Runs a program of Node's to its end. */
export async function runNode(
  args: readonly string[],
  { env, stdout, interruption }: NodeOptions = {},
): Promise<Ended> {
  const output = stdout === undefined ? (['pipe', 'pipe'] as const) : ([stdout, 'inherit'] as const);
  const child = spawn(process.execPath, ['--import', lifeline, ...args], {
    stdio: ['ignore', ...output, 'pipe'],
    env: { ...(env ?? process.env), BN_EDGE_LIFELINE: String(process.pid) },
    ...ownGroup,
  });
  endsWithUs(child);
  const heard = [child.stdout, child.stderr].map((stream: Readable | null) =>
    stream ? text(stream) : Promise.resolve(''),
  );
  const exit = once(child, 'exit') as Promise<[number | null]>;
  using _ = endsOn(interruption, child);
  const [code] = await exit;
  // Of what it has started nothing runs on.
  if (interruption?.aborted) signalGroup(child, 'SIGKILL');
  const [printed = '', errors = ''] = await Promise.all(heard);
  return { stdout: printed, stderr: errors, code };
}

const patienceMs = 5000;

function endsOn(interruption: AbortSignal | undefined, child: ChildProcess): Disposable {
  let timer: NodeJS.Timeout | undefined;
  const end = () => {
    signalGroup(child, 'SIGINT');
    timer = setTimeout(() => {
      signalGroup(child, 'SIGKILL');
    }, patienceMs);
  };
  if (interruption?.aborted) end();
  else interruption?.addEventListener('abort', end);
  return {
    [Symbol.dispose]: () => {
      interruption?.removeEventListener('abort', end);
      clearTimeout(timer);
    },
  };
}
