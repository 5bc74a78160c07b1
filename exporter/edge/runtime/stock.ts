/**
 * Starts the runtime of `onnxruntime-web` with the interface of an image, sessions created from model files. An image is
 * made from it, compared with it, and replaced by it where specialising has been switched off.
 */

import { createSession, initialize } from './create.ts';
import { startGlue } from './glue.ts';
import type { InstanceLike } from './glue.ts';
import { capMemory, memoryCapPages } from './heap.ts';
import type { OrtInstance, SessionRecord } from './ort.ts';
import { Session } from './session.ts';

export type Models = Readonly<Record<string, Uint8Array>>;

/** The runtime with a session for each model, by name. */
export interface Created {
  readonly instance: OrtInstance;
  readonly records: Readonly<Record<string, SessionRecord>>;
}

/** Memory is capped only after the sessions exist: creating them takes several times what they keep. */
export async function createAll(
  instantiate: (imports: WebAssembly.Imports) => InstanceLike,
  models: Models,
): Promise<Created> {
  const started = await startGlue(instantiate);
  const instance = { ...started, runOptions: initialize(started) };
  const records = Object.entries(models).map(([name, model]) => [name, createNamed(name, instance, model)] as const);
  capMemory(started.heap.memory, memoryCapPages);
  return { instance, records: Object.fromEntries(records) };
}

/** @returns the sessions by model name; they share one heap */
export async function loadStock(wasm: WebAssembly.Module, models: Models): Promise<ReadonlyMap<string, Session>> {
  const { instance, records } = await createAll((imports) => new WebAssembly.Instance(wasm, imports), models);
  return new Map(Object.entries(records).map(([name, record]) => [name, new Session(name, instance, record)]));
}

function createNamed(name: string, instance: OrtInstance, model: Uint8Array): SessionRecord {
  try {
    return createSession(instance, model);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new Error(`model ${name}: ${error.message}`, { cause: error });
  }
}
