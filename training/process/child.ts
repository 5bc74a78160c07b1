/** Processes that this one starts. Each leads a group of its own, so that a signal reaches what it has started in turn. */
import type { ChildProcess } from 'node:child_process';
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

/** Until it has ended by itself. */
export function endsWithUs(child: ChildProcess): void {
  const end = atExit(() => {
    signalGroup(child, 'SIGKILL');
  });
  child.once('exit', () => {
    end[Symbol.dispose]();
  });
}
