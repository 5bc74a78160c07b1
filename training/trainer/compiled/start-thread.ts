/** Starts the second thread of a compiled step, a worker of Node. */
import { Worker } from 'node:worker_threads';
import type { OpenProgram } from '../../compile/index.ts';
import { siblingModule } from '../../files/index.ts';

/** The data that the second thread receives. */
export type SharedProgram = Pick<OpenProgram, 'module' | 'memory'>;

export interface SecondThread {
  readonly release: () => Promise<void>;
}

/** @param onEnd receives how the thread has ended; it never ends by itself */
export function startThread({ module, memory }: SharedProgram, onEnd: (how: string) => void): SecondThread {
  // `--input-type` describes a program given on the command line. A thread that runs a file must not inherit it.
  const execArgv = process.execArgv.filter((argument) => !argument.startsWith('--input-type'));
  const workerData: SharedProgram = { module, memory };
  const thread = new Worker(siblingModule(import.meta.url, './second-thread'), { workerData, execArgv });
  thread.once('error', ({ message }: Error) => {
    onEnd(message);
  });
  thread.once('exit', (code) => {
    onEnd(`exit status ${code}`);
  });
  // The thread does not keep the process alive.
  thread.unref();
  return {
    release: async () => {
      thread.removeAllListeners();
      await thread.terminate();
    },
  };
}
