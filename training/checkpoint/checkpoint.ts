/**
 * Reads and writes checkpoint files: named tensors with PyTorch's names, and string metadata, stored as safetensors.
 * The network and the training run define what the names and the metadata mean.
 *
 * The metadata hold a checksum of each tensor's data, and under the empty name one of all other metadata, so that
 * damage on the disk is detected when the file is read. Files of other programs have no checksums.
 */
import { crc32 } from 'node:zlib';
import * as z from 'zod';
import {
  parseJson,
  parseSafetensors,
  quote,
  readBytes,
  type Safetensors,
  safetensorsParts,
  type StoredTensor as Tensor,
  unexpected,
  validated,
  writeAtomically,
} from '../files/index.ts';

export type { Safetensors, StoredTensor as Tensor } from '../files/index.ts';

const checksumsKey = 'bn_edge.crc32';

/** Maps a tensor's name to its CRC-32 in hexadecimal. */
const checksumsSchema = z.record(z.string(), z.string());

/**
 * Reads a checkpoint and verifies its checksums.
 *
 * @throws UserError naming the file and what is wrong with it, such as the tensor whose data have changed
 */
export async function readSafetensors(path: string): Promise<Safetensors> {
  const { tensors, metadata: all } = parseSafetensors(await readBytes(path), path);
  const { [checksumsKey]: stored, ...metadata } = all;
  if (stored !== undefined) {
    const where = `${path}: ${checksumsKey}`;
    // `validated` keeps the object as it is written, with `__proto__` as a name, which zod leaves out; in a map no name
    // has a special meaning.
    const expected = new Map<string, unknown>(
      Object.entries(validated(checksumsSchema, parseJson(stored, where), where)),
    );
    for (const [name, found] of Object.entries(checksumsOf(tensors, metadata))) {
      const before = expected.get(name);
      if (before === found) continue;
      throw unexpected(
        name === '' ? `${path}: metadata` : `${path}: tensor ${quote(name)}`,
        `what was written, whose ${checksumsKey} is ${quote(typeof before === 'string' ? before : 'none')}`,
        `${found}: the file is damaged, or a program has changed it that keeps its metadata`,
      );
    }
  }
  return { tensors, metadata };
}

/**
 * Writes a checkpoint. The same tensors and metadata give the same file.
 *
 * @throws UserError when it cannot be written; a previous file of that name is then untouched
 */
export async function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const checksums = { [checksumsKey]: JSON.stringify(checksumsOf(tensors, metadata)) };
  await writeAtomically(path, safetensorsParts(tensors, { ...metadata, ...checksums }));
}

/** Returns the checksums in the order of the names, which does not depend on the order of the tensors. */
function checksumsOf(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const others = JSON.stringify(Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1)));
  const sums = [...tensors].map(([name, { data }]) => [name, checksum(bytesOf(data))] as const);
  return Object.fromEntries([['', checksum(others)] as const, ...sums.sort(([a], [b]) => (a < b ? -1 : 1))]);
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Tensor['data']): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

const checksum = (content: string | Uint8Array): string => crc32(content).toString(16).padStart(8, '0');
