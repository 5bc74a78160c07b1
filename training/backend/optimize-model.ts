/** Applies the optimizations with which ONNX Runtime starts on every machine. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { importNative } from './import-native.ts';

/**
 * Returns the same network with its constants computed, and with Batch Norm and other factors folded into the preceding
 * layers. It consists of operators of the ONNX specification. Every build of ONNX Runtime does the same before anything
 * else.
 *
 * @throws BackendUnavailable where ONNX Runtime has no native binary
 */
export async function optimizeModel(model: Uint8Array): Promise<Uint8Array> {
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
