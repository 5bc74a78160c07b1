/** Starts the second thread of a compiled step, a worker of Node. */
import { Worker } from 'node:worker_threads';
import type { OpenProgram } from '../../compile/index.ts';
import { siblingModule } from '../../files/index.ts';

/** What the second thread is given. */
export type SharedProgram = Pick<OpenProgram, 'module' | 'memory'>;

export interface SecondThread {
  readonly release: () => Promise<void>;
}

/** @param onEnd told how the thread has ended, which it never does by itself */
export function startThread({ module, memory }: SharedProgram, onEnd: (how: string) => void): SecondThread {
  // A program given on the command line says what kind it is, which a thread that is a file must not be told.
  const execArgv = process.execArgv.filter((argument) => !argument.startsWith('--input-type'));
  const workerData: SharedProgram = { module, memory };
  const thread = new Worker(siblingModule(import.meta.url, './second-thread'), { workerData, execArgv });
  thread.once('error', ({ message }: Error) => {
    onEnd(message);
  });
  thread.once('exit', (code) => {
    onEnd(`exit status ${code}`);
  });
  // Nobody has to wait for it.
  thread.unref();
  return {
    release: async () => {
      thread.removeAllListeners();
      await thread.terminate();
    },
  };
}
