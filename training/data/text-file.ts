/** The bytes of a file of text, plain or in gzip, piece by piece, and what they mean. */
import { closeSync, createReadStream, openSync, readSync, statSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createGunzip } from 'node:zlib';
import { cannotRead, requireStored, unexpected, UserError } from '../files/index.ts';
import type { Encoding } from './encodings.ts';

/** Its rows are garbage before V8 collects any: of 64 kB it would copy them first, which takes a fifth of the time more. */
const CHUNK_BYTES = 4096;

/** After so many bytes whoever waits has a turn: progress that is to be shown, or Ctrl-C. */
const TURN_BYTES = 256 * CHUNK_BYTES;

/** How many bytes of a file are read, and how many it has. */
export interface Position {
  read: number;
  size: number;
}

/** The share that is read, from 0 to 1. */
export const shareOf = ({ read, size }: Position): number => (size === 0 ? 0 : read / size);

/**
 * @param position is kept up to date
 * @throws {UserError} naming a file that cannot be read, or is broken
 */
export async function* chunksOf(path: string, position: Position = { read: 0, size: 0 }): AsyncGenerator<Buffer> {
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
    const file = createReadStream(path);
    for await (const chunk of file.pipe(createGunzip())) {
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

/** Without a stream, which would hand every chunk to another thread and back. */
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

/** Bytes as they come are text in UTF-8; others are decoded. */
export async function* textOf(path: string, encoding: Encoding, position?: Position): AsyncGenerator<Buffer | string> {
  if (encoding === 'utf-8') {
    yield* chunksOf(path, position);
    return;
  }
  const decoder = decoderOf(encoding);
  for await (const chunk of chunksOf(path, position)) yield decoder.decode(chunk, { stream: true });
  yield decoder.decode();
}

/** Both names mean Windows' table to the web: it has signs where Latin-1 has controls, which no table has. */
const decoderOf = (encoding: Encoding) =>
  new TextDecoder(encoding === 'latin1' || encoding === 'cp1252' ? 'windows-1252' : encoding);

const BEGINNING = 65_536;

/** The first text of a file, and its encoding: the one that is given, or what the first bytes tell. */
export async function beginningOf(
  path: string,
  given: Encoding | undefined,
): Promise<{ readonly text: string; readonly encoding: Encoding }> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunksOf(path)) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= BEGINNING) break;
  }
  const bytes = Buffer.concat(chunks);
  const encoding = given ?? encodingOf(bytes);
  return { text: decoderOf(encoding).decode(bytes), encoding };
}

/** UTF-16 by its byte order mark, or by the zeros in every second byte. */
function encodingOf(bytes: Buffer): Encoding {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  const zeros = [0, 0];
  bytes.subarray(0, 200).forEach((byte, i) => {
    if (byte === 0) zeros[i % 2] = (zeros[i % 2] ?? 0) + 1;
  });
  const [even = 0, odd = 0] = zeros;
  if (odd > 20 && even === 0) return 'utf-16le';
  if (even > 20 && odd === 0) return 'utf-16be';
  return 'utf-8';
}
