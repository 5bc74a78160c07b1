/**
 * Starts the runtime of `onnxruntime-web` with the interface of an image, sessions created from model files. An image is
 * made from it, compared with it, and replaced by it where specialising has been switched off.
 */

import { createSession, initialize } from './create.ts';
import { startGlue } from './glue.ts';
import type { InstanceLike, StartedGlue } from './glue.ts';
import { capMemory, memoryCapPages } from './heap.ts';
import type { OrtInstance, SessionRecord, Started } from './ort.ts';

export type Models = Readonly<Record<string, Uint8Array>>;

/**
 * Memory is capped only after the sessions exist: creating them takes several times what they keep.
 * @param onSession is told of each before it is created
 */
export async function startStock(
  instantiate: (imports: WebAssembly.Imports, memory: WebAssembly.Memory) => InstanceLike,
  models: Models,
  onSession: (name: string) => void = () => undefined,
): Promise<Started & Pick<StartedGlue, 'exports'>> {
  const { ort, heap, exports } = await startGlue(instantiate);
  const instance = { ort, heap, runOptions: initialize({ ort, heap }) };
  const sessions = Object.entries(models).map(([name, model]) => {
    onSession(name);
    return [name, createNamed(name, instance, model)] as const;
  });
  capMemory(heap.memory, memoryCapPages);
  return { instance, sessions: Object.fromEntries(sessions), exports };
}

function createNamed(name: string, instance: OrtInstance, model: Uint8Array): SessionRecord {
  try {
    return createSession(instance, model);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new Error(`model ${name}: ${error.message}`, { cause: error });
  }
}
