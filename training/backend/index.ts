/** Backends, which run graphs: native, WebGPU and WASM. */
export {
  type Backend,
  BackendUnavailable,
  type BoundSession,
  type NamedTensors,
  type Session,
  type StepperName,
  stepperNames,
} from './backend.ts';
export { type BackendName, backendNames, createBackend } from './create.ts';
export { nativeBackend, type NativeOptions } from './native.ts';
export { optimizeModel } from './optimize-model.ts';
export { type Clocks, foreignLoad } from './foreign-load.ts';
export { type WebgpuBackend, webgpuBackend } from './webgpu/index.ts';
/** @internal -- ONNX Runtime's types need those of browsers */
export { importNative } from './import-native.ts';
export { type RowFunction, RowThreads } from './staged/row-threads.ts';
export { adaptiveWaiting } from './waiting.ts';
export { wasmBackend } from './wasm.ts';
export { multiplicationsOf, threadCount, threadsFor, threadsInDoubt } from './work.ts';
