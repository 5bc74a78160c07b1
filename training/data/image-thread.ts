/** Runs in the threads of `image-threads.ts`: prepares one picture file for each message. */
import { parentPort, workerData } from 'node:worker_threads';
import { UserError } from '../files/index.ts';
import { type PicturePreparation, preparePicture } from '../pictures/index.ts';
import { readPicture } from './image-file.ts';

/** The reply to a message: the prepared picture, or the reason why the file was refused. */
export type Prepared = { readonly bytes: Uint8Array<ArrayBuffer> } | { readonly refused: string };

const picture = workerData as PicturePreparation;

async function prepare(file: string): Promise<Prepared> {
  try {
    return { bytes: new Uint8Array(preparePicture(await readPicture(file), picture)) };
  } catch (error) {
    if (error instanceof UserError) return { refused: error.message };
    throw error;
  }
}

parentPort?.on('message', (file: string) => {
  void prepare(file).then((prepared) => {
    parentPort?.postMessage(prepared, 'bytes' in prepared ? [prepared.bytes.buffer] : []);
  });
});
