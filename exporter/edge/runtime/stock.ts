/**
 * Starts the runtime of `onnxruntime-web` with the interface of an image, and creates the sessions from model files. An
 * image is made from it, compared with it, and replaced by it if specialising is switched off.
 */

import { createSession, initialize } from './create.ts';
import { startGlue } from './glue.ts';
import type { InstanceLike, StartedGlue } from './glue.ts';
import { capMemory, memoryCapPages } from './heap.ts';
import type { SessionRecord, Started } from './ort.ts';

export type Models = Readonly<Record<string, Uint8Array>>;

/**
 * Lists, by session, the inputs and outputs that have no shape in the model's file. The runtime takes them for scalars.
 */
export type Shapeless = Readonly<Record<string, readonly string[]>>;

export interface StockOptions {
  readonly shapeless?: Shapeless;
  /** Receives the name of each session before it is created. */
  readonly onSession?: (name: string) => void;
}

/**
 * Starts the runtime. Memory is capped only after the sessions exist, since creating them takes several times what they
 * keep.
 */
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

/** Marks the values without a shape. A value for which the runtime has inferred dimensions is left as it is. */
function withAnyShape(record: SessionRecord, names: readonly string[] = []): SessionRecord {
  const open = (values: SessionRecord['inputs']) =>
    values.map((value) =>
      value.shape.length === 0 && names.includes(value.name) ? { ...value, anyShape: true } : value,
    );
  return { ...record, inputs: open(record.inputs), outputs: open(record.outputs) };
}
