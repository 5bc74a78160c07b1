/** Creates backends by name. */
import { unexpected } from '../files/index.ts';
import { type Backend, BackendUnavailable, type StepperName } from './backend.ts';
import { nativeBackend, type NativeOptions } from './native.ts';
import { wasmBackend } from './wasm.ts';
import { webgpuBackend } from './webgpu/index.ts';

export interface BackendOptions {
  /** The number of threads of a backend that runs on the CPU. Each backend has its own default. */
  readonly threads?: number | undefined;
  /**
   * Makes the threads of `native` wait in a busy loop; when omitted, they do so while no other process uses the
   * machine.
   */
  readonly spinning?: boolean | undefined;
  /** The way to take the steps of training; the one that suits the network when omitted. */
  readonly stepper?: StepperName | undefined;
}

type CreateBackend = (options: NativeOptions) => Promise<Backend>;

const backends = {
  native: nativeBackend,
  webgpu: () => webgpuBackend(),
  wasm: wasmBackend,
} as const satisfies Readonly<Record<string, CreateBackend>>;

export type BackendName = keyof typeof backends | 'auto';

export const backendNames = [...Object.keys(backends), 'auto'] as readonly BackendName[];

/**
 * The backends that `auto` tries, in this order. It skips WebGPU on a software adapter, which would do the work of
 * `native` more slowly.
 */
const preference: readonly CreateBackend[] = [gpuBackend, nativeBackend, wasmBackend];

/**
 * The maximum number of threads, more than any machine has cores. A larger number is a typing error, and would crash
 * the process.
 */
const maxThreads = 1024;

/**
 * @param report receives a line for each backend that `auto` skips, and one when the first thread ends
 * @throws BackendUnavailable when the machine lacks what the backend needs
 * @throws UserError for more threads than there can be
 */
export async function createBackend(
  name: BackendName,
  { stepper, ...options }: BackendOptions,
  report: (line: string) => void,
): Promise<Backend> {
  const { threads = 1 } = options;
  if (threads > maxThreads) throw unexpected('--threads', `at most ${maxThreads}`, threads);
  let isReported = false;
  const onThreadEnd = (how: string): void => {
    if (!isReported) report(`row thread ended: ${how}; its rows are computed by the main thread`);
    isReported = true;
  };
  const backend = await find(name, { ...options, onThreadEnd }, report);
  return stepper === undefined ? backend : { ...backend, stepper };
}

async function find(name: BackendName, options: NativeOptions, report: (line: string) => void): Promise<Backend> {
  if (name !== 'auto') return backends[name](options);
  for (const create of preference) {
    try {
      return await create(options);
    } catch (error) {
      if (!(error instanceof BackendUnavailable)) throw error;
      report(`passed over: ${error.message}`);
    }
  }
  throw new BackendUnavailable('auto backend: expected one that runs on this machine, got none');
}

async function gpuBackend(): Promise<Backend> {
  const backend = await webgpuBackend();
  const { name, software } = backend.adapter;
  if (software) throw new BackendUnavailable(`webgpu backend: ${name} is not a GPU`);
  return backend;
}
