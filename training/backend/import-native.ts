import type * as ort from 'onnxruntime-node';
import { BackendUnavailable } from './backend.ts';

/**
 * Loads ONNX Runtime's native binary when a backend first needs it, so that the others work on machines without one.
 *
 * @throws BackendUnavailable naming the machine's kind
 */
export async function importNative(backend: string): Promise<typeof ort> {
  try {
    return await import('onnxruntime-node');
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new BackendUnavailable(
      `${backend} backend: onnxruntime-node has no binary that loads on ${process.platform} ${process.arch} (${reason}); --backend wasm needs none`,
      { cause: error },
    );
  }
}
