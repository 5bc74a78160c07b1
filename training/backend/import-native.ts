import type * as ort from 'onnxruntime-node';
import { BackendUnavailable } from './backend.ts';

/**
 * Loads ONNX Runtime's native binary when a backend first needs it, so that the others work on machines without one.
 * Since version 1.30 the runtime reports every process, its sessions and models to Microsoft, unless an environment
 * variable forbids that before it starts.
 *
 * Source: https://github.com/microsoft/onnxruntime/pull/27379
 *
 * @throws BackendUnavailable naming the machine's platform
 */
export async function importNative(backend: string): Promise<typeof ort> {
  process.env['ORT_DISABLE_TELEMETRY'] ??= '1';
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
