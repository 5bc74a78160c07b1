/** Where training graphs run. */
export type { Backend, NamedTensors, Session } from './backend.ts';
export { nativeBackend, type NativeOptions } from './native.ts';
