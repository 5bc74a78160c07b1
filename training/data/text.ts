/**
 * Reads text of any size in chunks, from any source of bytes: finds its encoding, and decodes it. Knows nothing of
 * files.
 */
import type { Encoding } from './options.ts';

/** The character that a decoder puts in place of bytes that are not UTF-8. */
export const REPLACEMENT_CHARACTER = '\uFFFD';

/** Counts the bytes of a text that have been read, and all of them. */
export interface Position {
  read: number;
  size: number;
}

/** Returns the share that has been read, from 0 to 1. */
export const shareOf = ({ read, size }: Position): number => (size === 0 ? 0 : read / size);

/** A source of a text's bytes. */
export interface TextSource {
  /** Names the text in messages, usually by its path. */
  readonly name: string;
  /**
   * Yields the bytes from the first one. Each call reads anew.
   *
   * @param position is kept up to date
   * @throws UserError naming a text that cannot be read, or is broken
   */
  readonly chunks: (position?: Position) => AsyncIterable<Uint8Array>;
}

/** Yields the text. UTF-8 is yielded as bytes; other encodings are decoded to strings. */
export async function* textOf(
  { chunks }: TextSource,
  encoding: Encoding,
  position?: Position,
): AsyncGenerator<Uint8Array | string> {
  if (encoding === 'utf-8') {
    yield* chunks(position);
    return;
  }
  const decoder = decoderOf(encoding);
  for await (const chunk of chunks(position)) yield decoder.decode(chunk, { stream: true });
  yield decoder.decode();
}

/**
 * Makes a decoder. On the web, both Latin-1 and cp1252 mean windows-1252, which has characters where Latin-1 has
 * control codes that no table contains.
 */
const decoderOf = (encoding: Encoding) =>
  new TextDecoder(encoding === 'latin1' || encoding === 'cp1252' ? 'windows-1252' : encoding);

const BEGINNING = 65_536;

/** Returns the beginning of a text, and its encoding: the given one, or what the first bytes tell. */
export async function beginningOf(
  { chunks }: TextSource,
  given: Encoding | undefined,
): Promise<{ readonly text: string; readonly encoding: Encoding }> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks()) {
    parts.push(chunk);
    length += chunk.length;
    if (length >= BEGINNING) break;
  }
  const bytes = joined(parts, length);
  const encoding = given ?? encodingOf(bytes);
  return { text: decoderOf(encoding).decode(bytes), encoding };
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Recognizes UTF-16 by its byte order mark, or by zeros in every second byte. */
function encodingOf(bytes: Uint8Array): Encoding {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  const beginning = bytes.subarray(0, 200);
  const zerosAt = (parity: 0 | 1): number => beginning.filter((byte, i) => byte === 0 && i % 2 === parity).length;
  const [even, odd] = [zerosAt(0), zerosAt(1)];
  if (odd > 20 && even === 0) return 'utf-16le';
  if (even > 20 && odd === 0) return 'utf-16be';
  return 'utf-8';
}
