/** Backends by name. */
import { type Backend, BackendUnavailable } from './backend.ts';
import { nativeBackend } from './native.ts';
import { wasmBackend } from './wasm.ts';

export interface BackendOptions {
  /** Of the backends that run on the CPU; each has its own default. */
  readonly threads?: number | undefined;
}

type CreateBackend = (options: BackendOptions) => Promise<Backend>;

const backends = {
  native: nativeBackend,
  wasm: wasmBackend,
} as const satisfies Readonly<Record<string, CreateBackend>>;

export type BackendName = keyof typeof backends | 'auto';

export const backendNames: readonly BackendName[] = ['native', 'wasm', 'auto'];

/** The order in which `auto` tries them: the fastest first. */
const preference: readonly CreateBackend[] = [nativeBackend, wasmBackend];

/**
 * @param report is told why `auto` passes a backend over
 * @throws BackendUnavailable when the machine lacks what the backend needs
 */
export async function createBackend(
  name: BackendName,
  options: BackendOptions,
  report: (line: string) => void,
): Promise<Backend> {
  if (name !== 'auto') return backends[name](options);
  for (const create of preference) {
    try {
      return await create(options);
    } catch (error) {
      if (!(error instanceof BackendUnavailable)) throw error;
      report(error.message);
    }
  }
  throw new BackendUnavailable(`expected one of ${backendNames.join(', ')} to run on this machine, got none`);
}
