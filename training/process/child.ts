/**
 * Starts processes. Each leads a process group of its own, so that a signal also reaches the processes that it has
 * started.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { atExit } from '../files/index.ts';

/** Options for `spawn` that give a process its own group. Windows has no process groups, and would open a window. */
export const ownGroup = { detached: process.platform !== 'win32' } as const;

/** Sends a signal to a process that was started with `ownGroup`, and to all processes that it has started. */
export function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(ownGroup.detached ? -child.pid : child.pid, signal);
  } catch {
    // The process has already ended.
  }
}

/**
 * A module that is loaded before a Node program, so that the program and its group end when its parent ends, even by
 * `kill -9`: the pipe at file descriptor 3 closes then. A grandchild that inherits these options has something else at
 * descriptor 3, so it compares the parent's process id first.
 */
const lifeline = `data:text/javascript,${encodeURIComponent(`
  import { Socket } from 'node:net';
  if (process.env.BN_EDGE_LIFELINE === String(process.ppid)) {
    const pipe = new Socket({ fd: 3 }).on('error', () => {}).on('close', () => process.kill(0, 'SIGKILL'));
    pipe.resume().unref();
  }
`)}`;

/** Kills a process and its group when this process exits, unless it has ended before. */
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
  /**
   * The file descriptor that standard output goes to; standard error then goes to that of this process. When omitted,
   * the output of both is returned.
   */
  readonly stdout?: 1 | 2 | undefined;
  /** Ends the program and all that it has started. It has five seconds to clean up before it is killed. */
  readonly interruption?: AbortSignal | undefined;
}

export interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  /** The exit code; null where a signal ended the program. */
  readonly code: number | null;
}

/** Runs a Node program to its end. */
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
  // Nothing that the program has started may outlive it.
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
