/**
 * ONNX Runtime's WebAssembly module, booted inside a Worker: the C API (`_OrtRun` …) and the memory it works on.
 *
 * It is not the `ort` JavaScript API: that one compiles the `.wasm` at run time, which Workers forbid, and costs three
 * times the code. The C API is declared in
 * https://github.com/microsoft/onnxruntime/blob/v1.30.0/onnxruntime/wasm/api.h.
 */
import './not-node.ts';
import instantiateGlue from 'onnxruntime-web/ort-wasm-simd-threaded.mjs';

/** An address in the WebAssembly memory; 0 is "none". */
export type Pointer = number;

/** The part of Emscripten's module object that sessions use. A non-zero status means: see `_OrtGetLastError`. */
export interface OrtApi {
  stackSave(): Pointer;
  stackRestore(top: Pointer): void;
  stackAlloc(bytes: number): Pointer;
  UTF8ToString(text: Pointer): string;
  _malloc(bytes: number): Pointer;
  _free(block: Pointer): void;
  _OrtFree(block: Pointer): void;
  _OrtInit(threads: number, logLevel: number): number;
  _OrtGetLastError(code: Pointer, message: Pointer): void;
  _OrtCreateSessionOptions(
    optimizationLevel: number,
    cpuMemArena: boolean,
    memPattern: boolean,
    executionMode: number,
    profiling: boolean,
    profilePrefix: Pointer,
    logId: Pointer,
    logSeverity: number,
    logVerbosity: number,
    optimizedModelPath: Pointer,
  ): Pointer;
  _OrtReleaseSessionOptions(options: Pointer): number;
  _OrtCreateSession(model: Pointer, bytes: number, options: Pointer): Pointer;
  _OrtGetInputOutputCount(session: Pointer, inputs: Pointer, outputs: Pointer): number;
  _OrtGetInputOutputMetadata(session: Pointer, index: number, name: Pointer, metadata: Pointer): number;
  _OrtCreateTensor(
    elementType: number,
    data: Pointer,
    bytes: number,
    dims: Pointer,
    rank: number,
    location: number,
  ): Pointer;
  _OrtGetTensorData(tensor: Pointer, type: Pointer, data: Pointer, dims: Pointer, rank: Pointer): number;
  _OrtReleaseTensor(tensor: Pointer): void;
  _OrtCreateRunOptions(logSeverity: number, logVerbosity: number, terminate: boolean, tag: Pointer): Pointer;
  _OrtReleaseRunOptions(options: Pointer): void;
  _OrtRun(
    session: Pointer,
    inputNames: Pointer,
    inputs: Pointer,
    inputCount: number,
    outputNames: Pointer,
    outputCount: number,
    outputs: Pointer,
    options: Pointer,
  ): number;
}

export interface Runtime {
  readonly ort: OrtApi;
  /** Its `buffer` is replaced when it grows, so views on it are made anew for each use. */
  readonly memory: WebAssembly.Memory;
}

/** ONNX Runtime's level for "fatal only": errors reach the caller as exceptions, not as log lines. */
export const LOG_FATAL = 4;

/**
 * Instantiates the compiled module on one thread and initialises ONNX Runtime in it. Works at module scope: it needs
 * neither a timer, nor randomness, nor I/O.
 */
export async function bootRuntime(wasm: WebAssembly.Module): Promise<Runtime> {
  let memory: WebAssembly.Memory | undefined;
  const ort = (await instantiateGlue({
    numThreads: 1,
    instantiateWasm: (imports, done) => {
      memory = findMemory(imports);
      done(new WebAssembly.Instance(wasm, imports), wasm);
    },
  })) as OrtApi;
  if (memory === undefined) throw new Error('internal: the glue code did not call instantiateWasm');
  if (ort._OrtInit(1, LOG_FATAL) !== 0) throw new Error('internal: ONNX Runtime did not initialise');
  return { ort, memory };
}

/** The module imports its memory under a minified name, so it is recognised by its type. */
function findMemory(imports: WebAssembly.Imports): WebAssembly.Memory {
  for (const value of Object.values(imports).flatMap((module) => Object.values(module))) {
    if (value instanceof WebAssembly.Memory) return value;
  }
  throw new Error('internal: the ONNX Runtime module imports no memory');
}
