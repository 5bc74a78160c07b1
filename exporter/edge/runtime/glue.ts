/**
 * The official Emscripten glue of ONNX Runtime Web, typed: the C API that it exposes under public names, and the hook
 * through which an instance of our choice is given to it. It knows nothing of models.
 * Source: https://github.com/microsoft/onnxruntime/blob/v1.30.0/js/web/lib/wasm/wasm-types.ts
 */

import untypedFactory from 'onnxruntime-web/ort-wasm-simd-threaded.mjs';

import { Heap } from './heap.ts';
import { withMemory } from './unshared-memory.ts';

/** An address in linear memory. */
export type Pointer = number;

/** The C API and the helpers of Emscripten that the edge runtime uses. Status results are 0 on success. */
export interface OrtModule {
  _OrtInit(threads: number, loggingLevel: number): number;
  _OrtGetLastError(errorCode: Pointer, errorMessage: Pointer): void;
  _OrtCreateSessionOptions(
    graphOptimizationLevel: number,
    enableCpuMemArena: boolean,
    enableMemPattern: boolean,
    executionMode: number,
    enableProfiling: boolean,
    profileFilePrefix: Pointer,
    logId: Pointer,
    logSeverityLevel: number,
    logVerbosityLevel: number,
    optimizedModelFilePath: Pointer,
  ): Pointer;
  _OrtReleaseSessionOptions(options: Pointer): number;
  _OrtCreateSession(model: Pointer, length: number, options: Pointer): Pointer;
  _OrtGetInputOutputCount(session: Pointer, inputCount: Pointer, outputCount: Pointer): number;
  _OrtGetInputOutputMetadata(session: Pointer, index: number, name: Pointer, metadata: Pointer): number;
  _OrtCreateRunOptions(severity: number, verbosity: number, terminate: boolean, tag: Pointer): Pointer;
  _OrtCreateTensor(dtype: number, data: Pointer, bytes: number, dims: Pointer, rank: number, location: number): Pointer;
  _OrtGetTensorData(tensor: Pointer, dtype: Pointer, data: Pointer, dims: Pointer, rank: Pointer): number;
  _OrtReleaseTensor(tensor: Pointer): number;
  _OrtFree(pointer: Pointer): void;
  _OrtRun(
    session: Pointer,
    inputNames: Pointer,
    inputTensors: Pointer,
    inputCount: number,
    outputNames: Pointer,
    outputCount: number,
    outputTensors: Pointer,
    options: Pointer,
  ): number;
  _malloc(bytes: number): Pointer;
  _free(pointer: Pointer): void;
  stackSave(): Pointer;
  stackAlloc(bytes: number): Pointer;
  stackRestore(stack: Pointer): void;
  UTF8ToString(pointer: Pointer): string;
}

/** What the glue reads of an instance. */
export type InstanceLike = Pick<WebAssembly.Instance, 'exports'>;

export type GlueFactory = (argument: {
  numThreads: number;
  instantiateWasm(imports: WebAssembly.Imports, receive: (instance: InstanceLike) => void): object;
}) => Promise<OrtModule>;

const glueFactory = untypedFactory as GlueFactory;

/** The running glue, with what it and its instance were made of. */
export interface StartedGlue {
  readonly ort: OrtModule;
  readonly heap: Heap;
  readonly imports: WebAssembly.Imports;
  readonly exports: WebAssembly.Exports;
}

/**
 * Starts the glue on an instance made by `instantiate` from the glue's own imports. Unless that is a promise, the promise waits
 * for nothing but itself: no I/O, no timers, so it may be awaited in a Worker's global scope.
 */
export async function startGlue(
  instantiate: (imports: WebAssembly.Imports, memory: WebAssembly.Memory) => InstanceLike | Promise<InstanceLike>,
): Promise<StartedGlue> {
  const made: Omit<StartedGlue, 'ort'>[] = [];
  const ort = await new Promise<OrtModule>((resolve, reject) => {
    const instantiateWasm = (imports: WebAssembly.Imports, receive: (instance: InstanceLike) => void) => {
      const memory = importedMemory(imports);
      const accept = (instance: InstanceLike) => {
        made.push({ heap: new Heap(memory), imports, exports: instance.exports });
        receive(instance);
      };
      const instance = instantiate(imports, memory);
      if (instance instanceof Promise) instance.then(accept).catch(reject);
      else accept(instance);
      return {};
    };
    glueFactory({ numThreads: 1, instantiateWasm }).then(resolve, reject);
  });
  const [started] = made;
  if (!started) throw new Error('onnxruntime-web glue: expected it to ask for an instance, got no call');
  return { ort, ...started };
}

/**
 * Starts the glue on an instance that runs already.
 * @returns the functions that the instance's module imports
 */
export function bindGlue(memory: WebAssembly.Memory, exports: WebAssembly.Exports): WebAssembly.Imports {
  const bound: WebAssembly.Imports[] = [];
  const instantiateWasm = (imports: WebAssembly.Imports, receive: (instance: InstanceLike) => void) => {
    bound.push(imports);
    receive({ exports });
    return {};
  };
  // All of this happens before the factory's promise is waited for.
  withMemory(memory, () => void glueFactory({ numThreads: 1, instantiateWasm }));
  const [imports] = bound;
  if (!imports) throw new Error('onnxruntime-web glue: expected it to ask for an instance at once, got no call');
  return imports;
}

/** The memory among the glue's imports. The names of the imports are minified, so it is found by its kind. */
function importedMemory(imports: WebAssembly.Imports): WebAssembly.Memory {
  for (const value of Object.values(imports).flatMap((names) => Object.values(names))) {
    if (isMemory(value)) return value;
  }
  throw new Error('onnxruntime-web glue: expected an imported memory, got none');
}

/** The bundler may have put something else in the place of `WebAssembly.Memory`. */
const isMemory = (value: unknown): value is WebAssembly.Memory =>
  Object.prototype.toString.call(value) === '[object WebAssembly.Memory]';
