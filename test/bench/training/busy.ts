/** Keeps a core busy, for measurements beside other load. */
import { spawn } from 'node:child_process';

/** Runs an action while another process keeps one core busy. */
export async function besideBusyProcess<Result>(action: () => Promise<Result>): Promise<Result> {
  const busy = spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' });
  const end = () => busy.kill();
  process.once('exit', end);
  try {
    return await action();
  } finally {
    process.off('exit', end);
    end();
  }
}
