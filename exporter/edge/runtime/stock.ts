/**
 * Starts the runtime of `onnxruntime-web` with the interface of an image, sessions created from model files. An image is
 * made from it, compared with it, and replaced by it where specialising has been switched off.
 */

import { createSession, initialize } from './create.ts';
import { startGlue } from './glue.ts';
import type { InstanceLike, StartedGlue } from './glue.ts';
import { capMemory, memoryCapPages } from './heap.ts';
import type { SessionRecord, Started } from './ort.ts';

export type Models = Readonly<Record<string, Uint8Array>>;

/** By session: the inputs and outputs of which its file says no shape, which the runtime takes for single numbers. */
export type Shapeless = Readonly<Record<string, readonly string[]>>;

export interface StockOptions {
  readonly shapeless?: Shapeless;
  /** Is told of each session before it is created. */
  readonly onSession?: (name: string) => void;
}

/** Memory is capped only after the sessions exist: creating them takes several times what they keep. */
export async function startStock(
  instantiate: (imports: WebAssembly.Imports, memory: WebAssembly.Memory) => InstanceLike,
  models: Models,
  { shapeless = {}, onSession }: StockOptions = {},
): Promise<Started & Pick<StartedGlue, 'exports'>> {
  const { ort, heap, exports } = await startGlue(instantiate);
  const instance = { ort, heap, runOptions: initialize({ ort, heap }) };
  const sessions = Object.entries(models).map(([name, model]) => {
    onSession?.(name);
    return [name, withAnyShape(createNamed(name, instance, model), shapeless[name])] as const;
  });
  capMemory(heap.memory, memoryCapPages);
  return { instance, sessions: Object.fromEntries(sessions), exports };
}

function createNamed(name: string, instance: Parameters<typeof createSession>[0], model: Uint8Array): SessionRecord {
  try {
    return createSession(instance, model);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new Error(`model ${name}: ${error.message}`, { cause: error });
  }
}

/** The runtime may have found out what the file does not say, but that is then more than no dimensions. */
function withAnyShape(record: SessionRecord, names: readonly string[] = []): SessionRecord {
  const open = (values: SessionRecord['inputs']) =>
    values.map((value) =>
      value.shape.length === 0 && names.includes(value.name) ? { ...value, anyShape: true } : value,
    );
  return { ...record, inputs: open(record.inputs), outputs: open(record.outputs) };
}
