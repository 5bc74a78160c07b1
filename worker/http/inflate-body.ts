/** Inflates compressed bodies, up to the limit of any body: https://www.rfc-editor.org/rfc/rfc9110#section-8.4.1 */
import { present } from '../../training/arrays/index.ts';
import { crc32 } from '../../training/pictures/crc32.ts';
import { inflateRaw, TooLongError } from '../../training/pictures/inflate.ts';
import { giveBack } from '../../training/pictures/picture.ts';
import { concatenate } from './bytes.ts';
import { quote, RequestError } from '../errors.ts';

/** Describes a format that wraps deflated data. */
interface Wrapping {
  /** Returns the offset of the data, and NaN when the header is not of this format. */
  readonly begin: (packed: DataView) => number;
  /** Returns the bytes that must follow the data, given their inflated form. */
  readonly trailer: (data: Uint8Array) => Uint8Array;
}

const wrappings = {
  gzip: { begin: afterGzipHeader, trailer: gzipTrailer },
  deflate: { begin: afterZlibHeader, trailer: zlibTrailer },
} as const satisfies Record<string, Wrapping>;

type Encoding = keyof typeof wrappings;

const aliases: Readonly<Record<string, Encoding | 'identity'>> = { '': 'identity', 'x-gzip': 'gzip' };

/** @throws RequestError when the encoding is not supported */
export function encodingOf({ headers }: Request): Encoding | 'identity' {
  const sent = headers.get('content-encoding') ?? '';
  const name = sent.trim().toLowerCase();
  const encoding = aliases[name] ?? name;
  if (encoding === 'identity' || isKnown(encoding)) return encoding;
  const expected = `${Object.keys(wrappings).join(', ')} or identity`;
  throw new RequestError('unsupported media type', `content-encoding: expected ${expected}, got ${quote(sent)}`);
}

const isKnown = (name: string): name is Encoding => Object.hasOwn(wrappings, name);

/**
 * Limits the deflate blocks with Huffman codes of their own, which take time beyond their bytes. Encoders write one for
 * several kilobytes, or one for each flush.
 */
const maxCodes = (bytes: number): number => 256 + bytes / 1024;

/**
 * Inflates a body, and gives the packed one's memory back.
 * @throws RequestError when it is damaged, or inflates to more than `limit` bytes
 */
export function inflateBody(packed: Uint8Array, encoding: Encoding, limit: number): Uint8Array {
  const { begin, trailer } = wrappings[encoding];
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const pieces: Uint8Array[] = [];
  const onCodes = (number: number): void => {
    if (number > maxCodes(packed.byteLength)) throw new Error('deflate: too many code tables for its size');
  };
  try {
    const start = begin(view);
    if (Number.isNaN(start)) throw new Error('no such header');
    const data = { file: packed, parts: [[start, packed.byteLength]] as const };
    const left = inflateRaw(data, { min: 0, max: limit, onCodes }, (piece) => pieces.push(piece.slice()));
    const inflated = concatenate(pieces);
    const [computed, stored] = [trailer(inflated), packed.subarray(packed.byteLength - left)];
    const isSame = left === computed.length && computed.every((byte, i) => byte === stored[i]);
    if (!isSame) throw new Error('deflate: another checksum');
    return inflated;
  } catch (error) {
    if (error instanceof TooLongError)
      throw new RequestError('too large', `body: expected at most ${limit} bytes when inflated, got more`);
    const got = `${packed.byteLength} bytes that are not`;
    throw new RequestError('malformed', `body: expected ${encoding}, as content-encoding says, got ${got}`);
  } finally {
    for (const bytes of [packed, ...pieces]) giveBack(bytes);
  }
}

/** Returns the offset of the data after a gzip header: https://www.rfc-editor.org/rfc/rfc1952#section-2.3 */
function afterGzipHeader(packed: DataView): number {
  const flags = packed.getUint8(3);
  if (packed.getUint32(0) >>> 8 !== 0x1f8b08 || flags > 31) return NaN;
  let at = 10;
  if (flags & 4) at += 2 + packed.getUint16(at, true);
  // A name and a comment, each with a terminating zero.
  for (const flag of [8, 16]) if (flags & flag) while (packed.getUint8(at++) !== 0);
  return flags & 2 ? at + 2 : at;
}

function gzipTrailer(data: Uint8Array): Uint8Array {
  const trailer = new DataView(new ArrayBuffer(8));
  trailer.setInt32(0, crc32(data), true);
  trailer.setUint32(4, data.byteLength, true);
  return new Uint8Array(trailer.buffer);
}

/** Returns the offset of the data after a zlib header: https://www.rfc-editor.org/rfc/rfc1950#section-2.2 */
function afterZlibHeader(packed: DataView): number {
  const [method, header] = [packed.getUint8(0), packed.getUint16(0)];
  return (method & 15) === 8 && header % 31 === 0 && (header & 32) === 0 ? 2 : NaN;
}

/** Computes the Adler-32 checksum: https://www.rfc-editor.org/rfc/rfc1950#section-9 */
function zlibTrailer(data: Uint8Array): Uint8Array {
  let [low, high] = [1, 0];
  for (let at = 0; at < data.length;) {
    // Sums over 3,800 bytes stay exact.
    const end = Math.min(at + 3800, data.length);
    for (; at < end; at++) {
      low += present(data[at]);
      high += low;
    }
    low %= 65521;
    high %= 65521;
  }
  const trailer = new DataView(new ArrayBuffer(4));
  trailer.setUint32(0, high * 65536 + low);
  return new Uint8Array(trailer.buffer);
}
