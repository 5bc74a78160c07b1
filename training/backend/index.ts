/** Where training graphs run. */
export { type Backend, BackendUnavailable, type NamedTensors, type Session } from './backend.ts';
export { type BackendName, backendNames, type BackendOptions, createBackend } from './create.ts';
export { nativeBackend, type NativeOptions } from './native.ts';
export { type Clocks, foreignLoad } from './foreign-load.ts';
export { type WebgpuBackend, webgpuBackend, type WebgpuOptions } from './webgpu/index.ts';
export { waitingAsSuits } from './waiting.ts';
export { wasmBackend, type WasmOptions } from './wasm.ts';
export { multiplicationsOf, threadsFor } from './work.ts';
