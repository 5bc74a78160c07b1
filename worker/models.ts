/** The models this Worker serves: sessions created from the files that the build found in `models/`. */
import type { Runtime } from './runtime.ts';
import { createSession, type Session } from './session.ts';
import type { Statistics } from './protocol.ts';

/** One folder of `models/`, as the generated registry imports it. */
export interface ModelFiles {
  readonly name: string;
  readonly version: string;
  readonly description?: string;
  /** The name of each class, in the order of the logits. */
  readonly labels?: readonly string[];
  readonly model: ArrayBuffer;
  /** The same network, its Batch Norm normalizing with the mini-batch's own statistics (`training_mode` 1). */
  readonly batchStatistics?: ArrayBuffer;
}

export interface Model {
  readonly name: string;
  readonly version: string;
  readonly description?: string;
  readonly labels?: readonly string[];
  readonly sessions: { readonly running: Session } & { readonly [S in Statistics]?: Session };
}

export type Models = ReadonlyMap<string, Model>;

/** @throws OrtError where the runtime refuses a file. */
export function loadModels(runtime: Runtime, folders: readonly ModelFiles[]): Models {
  return new Map(
    folders.map(({ model, batchStatistics, ...about }) => {
      const running = createSession(runtime, new Uint8Array(model));
      const batch = batchStatistics && createSession(runtime, new Uint8Array(batchStatistics));
      return [about.name, { ...about, sessions: { running, ...(batch && { batch }) } }];
    }),
  );
}
