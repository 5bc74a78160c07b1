/**
 * Reads the IDX format of MNIST and its relatives: a four-byte magic number, big-endian dimensions, then the elements.
 * Only unsigned bytes are read, which is what every published set of this kind holds. A file may be compressed with
 * gzip.
 *
 * Source: "The IDX file format" in http://yann.lecun.com/exdb/mnist/, archived at
 * https://web.archive.org/web/2016/http://yann.lecun.com/exdb/mnist/
 */
import { constants as buffer } from 'node:buffer';
import { constants as zlib, gunzipSync } from 'node:zlib';
import { elementCount } from '../arrays/index.ts';
import { readBytes, typedArrayOf, unexpected, UserError } from '../files/index.ts';

export interface IdxArray {
  readonly shape: readonly number[];
  /** Row-major. It is a view of the parsed bytes where they were not compressed. */
  readonly data: Uint8Array;
}

/**
 * Reads an IDX file.
 *
 * @throws UserError when the file cannot be read or is not a complete IDX file of unsigned bytes
 */
export async function readIdx(path: string): Promise<IdxArray> {
  return parseIdx(await readBytes(path), path);
}

/**
 * Parses an IDX file.
 *
 * @param where names the bytes in messages, usually a path
 * @throws UserError unless the bytes are exactly one IDX array of unsigned bytes, plain or compressed
 */
export function parseIdx(bytes: Uint8Array, where: string): IdxArray {
  const plain = isGzip(bytes) ? decompress(bytes, where) : bytes;
  const header = parseHeader(plain, where);
  if (plain.length !== header.fileLength) throw wrongLength(header, where, `${plain.length}`);
  return { shape: header.shape, data: typedArrayOf(Uint8Array, plain.subarray(header.length)) };
}

interface IdxHeader {
  readonly shape: readonly number[];
  /** The number of bytes before the first element. */
  readonly length: number;
  /** The number of bytes of the whole file that the header implies. */
  readonly fileLength: number;
}

const UNSIGNED_BYTE = 0x08;

/** The maximum number of dimensions, more than any network's input has. */
const MAX_RANK = 8;

function parseHeader(bytes: Uint8Array, where: string): IdxHeader {
  const [zero0, zero1, type, rank] = bytes;
  if (zero0 !== 0 || zero1 !== 0 || type !== UNSIGNED_BYTE || rank === undefined || rank === 0 || rank > MAX_RANK) {
    throw unexpected(
      where,
      `an IDX file of unsigned bytes (00 00 08, then a rank of at most ${MAX_RANK})`,
      hex(bytes.subarray(0, 4)),
    );
  }
  const length = 4 + 4 * rank;
  if (bytes.length < length) {
    throw unexpected(where, `${length} bytes of header for ${rank} dimensions`, bytes.length);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  return { shape, length, fileLength: length + elementCount(shape) };
}

const isGzip = (bytes: Uint8Array) => bytes[0] === 0x1f && bytes[1] === 0x8b;

/** The number of compressed bytes that surely contain the header. Deflate expands them at most a thousandfold. */
const HEADER_PREFIX = 4096;

/**
 * Decompresses a file. It reads the header first and limits the output to the announced size, so that a file cannot
 * expand to more than its array.
 */
function decompress(bytes: Uint8Array, where: string): Uint8Array {
  const prefix = gunzip(bytes.subarray(0, HEADER_PREFIX), where, { finishFlush: zlib.Z_SYNC_FLUSH });
  const header = parseHeader(prefix, where);
  try {
    return gunzip(bytes, where, { maxOutputLength: Math.min(header.fileLength, buffer.MAX_LENGTH) });
  } catch (error) {
    if (error instanceof RangeError) throw wrongLength(header, where, 'more');
    throw error;
  }
}

/**
 * The result of Node's `gunzipSync` with `info`, which Node's types lack. The engine counts the bytes that it has
 * consumed.
 */
interface Unzipped {
  readonly buffer: Uint8Array;
  readonly engine: { readonly bytesWritten: number };
}

function gunzip(bytes: Uint8Array, where: string, options: { finishFlush?: number; maxOutputLength?: number }) {
  try {
    const { buffer, engine } = gunzipSync(bytes, { ...options, info: true }) as unknown as Unzipped;
    if (engine.bytesWritten < bytes.length)
      throw unexpected(where, `${engine.bytesWritten} compressed bytes`, bytes.length);
    return buffer;
  } catch (error) {
    if (error instanceof RangeError || error instanceof UserError || !(error instanceof Error)) throw error;
    throw new UserError(`${where}: cannot decompress: ${error.message}`, { cause: error });
  }
}

function wrongLength(header: IdxHeader, where: string, got: string): UserError {
  return unexpected(where, `${header.fileLength} bytes for uint8 [${header.shape.join(', ')}]`, got);
}

function hex(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'an empty file';
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}
