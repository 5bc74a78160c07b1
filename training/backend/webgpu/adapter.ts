/** Finds the adapter that ONNX Runtime's WebGPU provider computes on, if there is one. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { siblingModule } from '../../files/index.ts';
import { BackendUnavailable } from '../backend.ts';

export interface Adapter {
  readonly name: string;
  /** Is true when the adapter computes on the CPU, as SwiftShader does, which is slower than the native backend. */
  readonly software: boolean;
}

interface Outcome {
  /** Undefined when the program has succeeded. */
  readonly error: (Error & { readonly killed?: boolean; readonly signal?: NodeJS.Signals | undefined }) | undefined;
  readonly log: string;
}

/**
 * Computes something small in a process that can be killed. Calls into the runtime block, so that a driver that stalls
 * would stop this process for good.
 *
 * @param timeout milliseconds until the adapter counts as stalled
 * @throws BackendUnavailable when there is no adapter, or one that does not work
 */
export async function findAdapter(timeout: number): Promise<Adapter> {
  const { error, log } = await probe(timeout);
  if (!error) return describe(log);
  if (error.killed) throw unavailable(`the adapter did not answer within ${timeout / 1000} s`, error);
  if (error.signal) throw unavailable(`the adapter's driver crashed with ${error.signal}`, error);
  if (log.includes('Failed to get a WebGPU adapter')) {
    throw unavailable(
      'expected a GPU adapter, got none; install the driver of the GPU and on Linux the Vulkan loader (libvulkan1)',
      error,
    );
  }
  throw unavailable(log.split('\n').find((line) => line.startsWith('Error:')) ?? error.message, error);
}

function probe(timeout: number): Promise<Outcome> {
  const program = fileURLToPath(siblingModule(import.meta.url, 'probe'));
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [...process.execArgv, program],
      // The adapter's name appears only in the Vulkan loader's log: the runtime does not report it.
      { timeout, killSignal: 'SIGKILL', env: { ...process.env, VK_LOADER_DEBUG: 'all' }, maxBuffer: 2 ** 26 },
      (error, _stdout, log) => {
        resolve({ error: error ?? undefined, log });
      },
    );
  });
}

function describe(log: string): Adapter {
  const name = /Using "(.+)" with driver/.exec(log)?.[1] ?? 'the default adapter';
  return { name, software: /swiftshader|llvmpipe|lavapipe|basic render/i.test(name) };
}

const unavailable = (what: string, cause: Error) => new BackendUnavailable(`webgpu backend: ${what}`, { cause });
