/**
 * Types the official Emscripten glue of ONNX Runtime Web: the C API that it exposes under public names, and the hook
 * through which it is given an instance made elsewhere. This module knows nothing of models.
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

/** The part of an instance that the glue reads. */
export type InstanceLike = Pick<WebAssembly.Instance, 'exports'>;

export type GlueFactory = (argument: {
  numThreads: number;
  instantiateWasm(imports: WebAssembly.Imports, receive: (instance: InstanceLike) => void): object;
}) => Promise<OrtModule>;

const glueFactory = untypedFactory as GlueFactory;

/** The running glue, with its memory, its imports and the exports of its instance. */
export interface StartedGlue {
  readonly ort: OrtModule;
  readonly heap: Heap;
  readonly imports: WebAssembly.Imports;
  readonly exports: WebAssembly.Exports;
}

/**
 * Starts the glue on an instance that `instantiate` makes from the glue's own imports. If `instantiate` returns no
 * promise, the returned one waits for no I/O and no timer, so that a Worker may await it in its global scope.
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
 *
 * @returns the functions that the instance's module imports
 */
export function bindGlue(memory: WebAssembly.Memory, exports: WebAssembly.Exports): WebAssembly.Imports {
  const bound: WebAssembly.Imports[] = [];
  const instantiateWasm = (imports: WebAssembly.Imports, receive: (instance: InstanceLike) => void) => {
    bound.push(imports);
    receive({ exports });
    return {};
  };
  // The factory calls `instantiateWasm` before it returns its promise.
  withMemory(memory, () => void glueFactory({ numThreads: 1, instantiateWasm }));
  const [imports] = bound;
  if (!imports) throw new Error('onnxruntime-web glue: expected it to ask for an instance at once, got no call');
  return imports;
}

/** Finds the memory among the glue's imports by its kind, since the names of the imports are minified. */
function importedMemory(imports: WebAssembly.Imports): WebAssembly.Memory {
  for (const value of Object.values(imports).flatMap((names) => Object.values(names))) {
    if (isMemory(value)) return value;
  }
  throw new Error('onnxruntime-web glue: expected an imported memory, got none');
}

/** Is true for a memory. `instanceof` would not do: the bundler may have replaced `WebAssembly.Memory`. */
const isMemory = (value: unknown): value is WebAssembly.Memory =>
  Object.prototype.toString.call(value) === '[object WebAssembly.Memory]';
