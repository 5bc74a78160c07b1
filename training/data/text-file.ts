/** Reads the bytes of a text file, plain or gzip, in chunks. */
import { closeSync, createReadStream, openSync, readSync, statSync } from 'node:fs';
import { pipeline } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createGunzip } from 'node:zlib';
import { cannotRead, requireStored, unexpected, UserError } from '../files/index.ts';
import type { Position, TextSource } from './text.ts';

/**
 * The size of a chunk. The rows of 4 kB are garbage before V8 collects any; with 64 kB, V8 would copy them first, which
 * takes a fifth more time.
 */
const CHUNK_BYTES = 4096;

/** The number of bytes after which other tasks get a turn: to show progress, or to handle Ctrl-C. */
const TURN_BYTES = 256 * CHUNK_BYTES;

export const fileSource = (path: string): TextSource => ({
  name: path,
  chunks: (position) => chunksOf(path, position),
});

/**
 * Yields the bytes of a file.
 *
 * @param position is kept up to date
 * @throws UserError naming a file that cannot be read, or is broken
 */
async function* chunksOf(path: string, position: Position = { read: 0, size: 0 }): AsyncGenerator<Buffer> {
  requireStored(path);
  try {
    position.size = statSync(path).size;
    position.read = 0;
    if (!isGzip(path)) {
      for (const chunk of plainChunks(path)) {
        position.read += chunk.length;
        yield chunk;
        if (position.read % TURN_BYTES === 0) await nextTurn();
      }
      return;
    }
    const [file, unzipped] = [createReadStream(path), createGunzip()];
    // Closes the file also where the caller reads no further, and passes its errors on to the loop.
    pipeline(file, unzipped, () => undefined);
    for await (const chunk of unzipped) {
      position.read = file.bytesRead;
      const bytes = chunk as Buffer;
      for (let at = 0; at < bytes.length; at += CHUNK_BYTES) yield bytes.subarray(at, at + CHUNK_BYTES);
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    const isBroken = (error as NodeJS.ErrnoException).code?.startsWith('Z_') === true;
    throw isBroken ? unexpected(path, 'a whole gzip file', 'a broken one') : cannotRead(path, error);
  }
}

function isGzip(path: string): boolean {
  const file = openSync(path, 'r');
  try {
    const head = Buffer.alloc(2);
    return readSync(file, head) === 2 && head[0] === 0x1f && head[1] === 0x8b;
  } finally {
    closeSync(file);
  }
}

/** Reads without a stream, which would hand every chunk to another thread and back. */
function* plainChunks(path: string): Generator<Buffer> {
  const file = openSync(path, 'r');
  try {
    for (;;) {
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      const length = readSync(file, chunk);
      if (length === 0) return;
      yield chunk.subarray(0, length);
    }
  } finally {
    closeSync(file);
  }
}
