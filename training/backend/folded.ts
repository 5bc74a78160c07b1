/** What ONNX Runtime makes of a model before it runs it, on whatever machine. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { importNative } from './import-native.ts';

/**
 * The same network with its constants computed, and Batch Norm and other factors taken into the layers before, in operators of the
 * ONNX specification: what every kind of ONNX Runtime does first.
 *
 * @throws BackendUnavailable where ONNX Runtime has no native binary
 */
export async function folded(model: Uint8Array): Promise<Uint8Array> {
  const ort = await importNative('native');
  const folder = await mkdtemp(join(tmpdir(), 'bn-edge-folded-'));
  try {
    const path = join(folder, 'model.onnx');
    const session = await ort.InferenceSession.create(model, {
      executionProviders: ['cpu'],
      graphOptimizationLevel: 'basic',
      optimizedModelFilePath: path,
      logSeverityLevel: 4,
    });
    await session.release();
    return await readFile(path);
  } finally {
    await rm(folder, { recursive: true });
  }
}
