/** Prepares many pictures on all cores, since the Worker's decoder is slower than the image library. */
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { siblingModule, UserError } from '../files/index.ts';
import { type PicturePreparation, preparePicture } from '../pictures/index.ts';
import { readPicture } from './image-file.ts';
import type { Prepared } from './image-thread.ts';

/**
 * Prepares a file as bytes `[channels, rows, columns]`.
 *
 * @throws UserError naming the file
 */
export type Preparer = (file: string) => Promise<Uint8Array>;

/** The number of pictures from which starting threads pays. */
const WORTH_THREADS = 200;
/** The number of files that are processed concurrently without threads: the image library has threads of its own. */
const ALONE = 4;

/** Holds preparers that run concurrently. Each works on one file at a time. */
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
  // Programs given on the command line need `--input-type`; Node refuses that flag for a thread whose code is a file.
  const execArgv = process.execArgv.filter((argument) => !argument.startsWith('--input-type'));
  return new Worker(siblingModule(import.meta.url, './image-thread'), { workerData: picture, execArgv });
}

const preparerOn =
  (thread: Worker): Preparer =>
  async (file) => {
    thread.postMessage(file);
    // `once` also rejects with an error that the thread does not catch.
    const [prepared] = (await once(thread, 'message')) as [Prepared];
    if ('refused' in prepared) throw new UserError(prepared.refused);
    return prepared.bytes;
  };
