/**
 * Checkpoint files: named tensors with PyTorch's names and a metadata of strings, stored as safetensors.
 * What the names and the metadata mean is the business of the network and of the training run.
 *
 * The metadata hold a checksum of each tensor's data, and one of the other metadata under the empty name, so that a bit that
 * the disk has lost is found when the file is read. Files of others have none.
 */
import { crc32 } from 'node:zlib';
import * as z from 'zod';
import {
  parseJson,
  parseSafetensors,
  quote,
  readBytes,
  type Safetensors,
  serializeSafetensors,
  type StoredTensor as Tensor,
  unexpected,
  validated,
  writeAtomically,
} from '../files/index.ts';

export type { Safetensors, StoredTensor as Tensor } from '../files/index.ts';

const checksumsKey = 'bn_edge.crc32';

/** CRC-32 in hexadecimal. */
const checksumsSchema = z.record(z.string(), z.string());

/** @throws {UserError} naming the file and what is wrong with it, such as the tensor whose data have changed. */
export async function readSafetensors(path: string): Promise<Safetensors> {
  const { tensors, metadata: all } = parseSafetensors(await readBytes(path), path);
  const { [checksumsKey]: stored, ...metadata } = all;
  if (stored !== undefined) {
    const where = `${path}: ${checksumsKey}`;
    // As it is written, with a name that zod leaves out; and as a map, in which none means anything.
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
 * Deterministic: the same tensors and metadata give the same file.
 *
 * @throws {UserError} when it cannot be written; a former file of that name is then untouched.
 */
export async function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const checksums = { [checksumsKey]: JSON.stringify(checksumsOf(tensors, metadata)) };
  await writeAtomically(path, serializeSafetensors(tensors, { ...metadata, ...checksums }));
}

/** In the order of the names, which says nothing of a tensor's place in the file. */
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
