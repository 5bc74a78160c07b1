/**
 * Reads ZIP archives as NumPy writes them: stored or deflated files, below 4 GB, without encryption. An archive is not
 * trusted: every offset and size is checked before it is followed, no size is allocated that the archive cannot hold,
 * and unpacked content must have the checksum that the archive gives.
 *
 * Source: https://pkware.cachefly.net/webdocs/APPNOTE/APPNOTE-6.3.10.TXT, sections 4.3.7, 4.3.12 and 4.3.16
 */
import { crc32, inflateRawSync } from 'node:zlib';
import { quote, unexpected, UserError } from '../files/index.ts';

export interface ZipEntry {
  readonly name: string;
  /** @throws UserError when the content does not match the archive's record of it */
  readonly unpack: () => Uint8Array;
}

const END = { signature: 0x06054b50, bytes: 22, longestComment: 0xffff } as const;
const CENTRAL = { signature: 0x02014b50, bytes: 46 } as const;
const LOCAL = { signature: 0x04034b50, bytes: 30 } as const;
const [STORED, DEFLATED] = [0, 8];

/**
 * Returns the entries in the order of the directory at the archive's end.
 *
 * @throws UserError unless the bytes are one archive from first to last, with different names
 */
export function readZip(bytes: Uint8Array, where: string): readonly ZipEntry[] {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const { count, start, end } = findDirectory(file, where);
  const entries: ZipEntry[] = [];
  const names = new Set<string>();
  let offset = start;
  while (offset < end) {
    const { entry, next } = readEntry(file, offset, { start, end }, where);
    if (names.has(entry.name)) throw unexpected(where, 'different names', `${quote(entry.name)} twice`);
    names.add(entry.name);
    entries.push(entry);
    offset = next;
  }
  if (entries.length !== count) throw unexpected(where, `${count} files in the archive`, entries.length);
  return entries;
}

interface Directory {
  readonly start: number;
  readonly end: number;
}

/** Finds the record at the end of the file. Only a comment of the length that it states may follow it. */
function findDirectory(file: Buffer, where: string): Directory & { readonly count: number } {
  const last = file.length - END.bytes;
  for (let at = last; at >= Math.max(0, last - END.longestComment); at--) {
    if (file.readUInt32LE(at) !== END.signature || at + END.bytes + file.readUInt16LE(at + 20) !== file.length)
      continue;
    const [count, size, start] = [file.readUInt16LE(at + 10), file.readUInt32LE(at + 12), file.readUInt32LE(at + 16)];
    if (start + size !== at) throw unexpected(where, `a directory of ${at - start} bytes at ${start}`, `${size} bytes`);
    return { count, start, end: at };
  }
  throw unexpected(where, 'a ZIP archive', 'something else');
}

/** Reads a file's record in the directory, and the offset of the next one. */
function readEntry(file: Buffer, at: number, { start, end }: Directory, where: string) {
  if (at + CENTRAL.bytes > end || file.readUInt32LE(at) !== CENTRAL.signature) {
    throw unexpected(where, `a file's record at ${at}`, 'something else');
  }
  const [method, checksum] = [file.readUInt16LE(at + 10), file.readUInt32LE(at + 16)];
  const [packed, size] = [file.readUInt32LE(at + 20), file.readUInt32LE(at + 24)];
  const [nameLength, extra] = [file.readUInt16LE(at + 28), file.readUInt16LE(at + 30)];
  const comment = file.readUInt16LE(at + 32);
  const name = file.toString('utf8', at + CENTRAL.bytes, at + CENTRAL.bytes + nameLength);
  const next = at + CENTRAL.bytes + nameLength + extra + comment;
  if (next > end) throw unexpected(where, `records up to ${end}`, `one up to ${next}`);
  const inside = `${where}: ${quote(name)}`;
  const local = file.readUInt32LE(at + 42);
  const unpack = () => unpackEntry(contentOf(file, local, packed, start, inside), method, size, checksum, inside);
  return { entry: { name, unpack }, next };
}

/** Returns the packed bytes behind the local record. They must end before the directory starts. */
function contentOf(file: Buffer, local: number, packed: number, limit: number, where: string): Buffer {
  if (local + LOCAL.bytes > limit || file.readUInt32LE(local) !== LOCAL.signature) {
    throw unexpected(where, `its content at ${local}`, 'something else');
  }
  const begin = local + LOCAL.bytes + file.readUInt16LE(local + 26) + file.readUInt16LE(local + 28);
  if (begin + packed > limit) throw unexpected(where, `at most ${Math.max(0, limit - begin)} packed bytes`, packed);
  return file.subarray(begin, begin + packed);
}

function unpackEntry(packed: Buffer, method: number, size: number, checksum: number, where: string): Uint8Array {
  const content = method === STORED ? packed : inflate(packed, method, size, where);
  if (content.length !== size) throw unexpected(where, `${size} bytes`, content.length);
  if (crc32(content) !== checksum) throw unexpected(where, 'content with its checksum', 'damaged content');
  return content;
}

/** Unpacks a file, and never more than its stated size. */
function inflate(packed: Buffer, method: number, size: number, where: string): Uint8Array {
  if (method !== DEFLATED) throw unexpected(where, 'a stored or deflated file', `method ${method}`);
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(1, size) });
  } catch (error) {
    if (error instanceof RangeError) throw unexpected(where, `${size} bytes`, 'more');
    throw new UserError(`${where}: cannot unpack: ${error instanceof Error ? error.message : String(error)}`);
  }
}
