/** Prepares an ONNX file as it would be served, to measure how good it is. */
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { BackendName } from '../../training/backend/index.ts';
import { readBytes } from '../../training/files/index.ts';
import { decodeProto, type onnx } from '../../training/graph/index.ts';
import { withExternalData } from '../served/external-data.ts';
import type { Ports } from '../served/ports.ts';
import { prepareModel } from '../served/prepare.ts';
import { withRoundedWeights } from '../served/round-weights.ts';
import { modelFileIn } from './models-folder.ts';
import { cardFile, emptyCard, readCard } from './card.ts';

export interface ServedFile extends Pick<Ports, 'inputs'> {
  readonly bytes: Uint8Array;
  /** `isQuantized` is true if the file computes with 8-bit numbers. */
  readonly isQuantized: boolean;
}

/** @throws UserError for a file that is not an ONNX model, or cannot be served */
export async function servedFile(path: string): Promise<ServedFile> {
  const folder = dirname(path);
  const hasCard = basename(path) === modelFileIn(folder) && existsSync(join(folder, cardFile));
  const { batchNorm, weights = 'float32' } = hasCard ? await readCard(dirname(folder), basename(folder)) : emptyCard;
  const { model, inputs } = prepareModel(path, withExternalData(path, await readBytes(path)), false, batchNorm);
  const bytes = weights === 'float32' ? model : (await withRoundedWeights(model, weights)).bytes;
  return { bytes, inputs, isQuantized: isQuantized(decodeProto(model).graph ?? {}) };
}

const quantizedOps = /^(QLinear\w+|QGemm|QAttention|\w+Integer|DynamicQuantize\w+|QuantizeLinear)$/;

/** Is true if a network computes with 8-bit numbers, rather than only storing its weights as such. */
const isQuantized = ({ node }: onnx.IGraphProto): boolean =>
  (node ?? []).some(({ opType }) => quantizedOps.test(opType ?? ''));

/**
 * Chooses the backend on which a file gives the answers that it gives when served.
 *
 * @param note receives a line if that is not the backend of other files
 */
export function backendFor(path: string, served: ServedFile, note: (line: string) => void): BackendName {
  if (!served.isQuantized) return 'native';
  const why = 'native ONNX Runtime saturates 8-bit products on CPUs without VNNI';
  note(
    `${path} is quantized: the wasm backend answers as it is served (${why}; --backend native takes it all the same)`,
  );
  return 'wasm';
}
