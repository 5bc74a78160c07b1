/** Preparing many pictures takes all cores: decoding them as a Worker does takes longer than the image library. */
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { siblingModule, UserError } from '../files/index.ts';
import { type PicturePreparation, preparePicture } from '../pictures/index.ts';
import { readPicture } from './image-file.ts';
import type { Prepared } from './image-thread.ts';

/** From a file to bytes `[channels, rows, columns]`. @throws {UserError} naming the file */
export type Preparer = (file: string) => Promise<Uint8Array>;

/** Fewer pictures are prepared before threads have started. */
const WORTH_THREADS = 200;
/** What one thread does at a time: the image library has threads of its own. */
const ALONE = 4;

/** Each of the preparers works on one file at a time, beside the others. */
export class Preparers implements AsyncDisposable {
  readonly all: readonly Preparer[];
  readonly #threads: readonly Worker[];

  constructor(files: number, picture: PicturePreparation, cores = availableParallelism()) {
    const here: Preparer = async (file) => preparePicture(await readPicture(file), picture);
    const isWorth = cores > 1 && files >= WORTH_THREADS;
    this.#threads = Array.from({ length: isWorth ? cores : 0 }, () => startThread(picture));
    this.all = isWorth ? this.#threads.map(preparerOn) : Array.from({ length: ALONE }, () => here);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.terminate()));
  }
}

function startThread(picture: PicturePreparation): Worker {
  // A program given on the command line says what kind it is, which a thread that is a file must not be told.
  const execArgv = process.execArgv.filter((argument) => !argument.startsWith('--input-type'));
  return new Worker(siblingModule(import.meta.url, './image-thread'), { workerData: picture, execArgv });
}

const preparerOn =
  (thread: Worker): Preparer =>
  async (file) => {
    thread.postMessage(file);
    // An error that the thread does not catch rejects.
    const [prepared] = (await once(thread, 'message')) as [Prepared];
    if ('refused' in prepared) throw new UserError(prepared.refused);
    return prepared.bytes;
  };
