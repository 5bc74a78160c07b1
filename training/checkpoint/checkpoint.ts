/**
 * Checkpoint files: named tensors with PyTorch's names and a metadata of strings, stored as safetensors.
 * What the names and the metadata mean is the business of the network and of the training run.
 */
import {
  parseSafetensors,
  readBytes,
  type Safetensors,
  serializeSafetensors,
  type StoredTensor as Tensor,
  writeAtomically,
} from '../files/index.ts';

export type { Safetensors, StoredTensor as Tensor } from '../files/index.ts';

/** @throws {UserError} naming the file and what is wrong with it. */
export async function readSafetensors(path: string): Promise<Safetensors> {
  return parseSafetensors(await readBytes(path), path);
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
  await writeAtomically(path, serializeSafetensors(tensors, metadata));
}
