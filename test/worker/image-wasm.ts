/**
 * Stands in for the import of the edge image's `.wasm` (see the alias in vitest.config.ts). Vitest's module loader
 * would send its megabytes to workerd as a JSON array of numbers, which takes most of a minute on a busy machine. Here
 * a binding carries the same bytes, compiled by the binding through which the plugin itself runs code.
 */
import { env } from 'cloudflare:workers';

interface Bindings {
  readonly IMAGE_WASM: ArrayBuffer;
  readonly __VITEST_POOL_WORKERS_UNSAFE_EVAL: { newWasmModule(bytes: ArrayBuffer): WebAssembly.Module };
}

const { IMAGE_WASM, __VITEST_POOL_WORKERS_UNSAFE_EVAL: unsafeEval } = env as unknown as Bindings;

export default unsafeEval.newWasmModule(IMAGE_WASM);
