/** Types of the imports that the bundler turns into modules (see the rules in wrangler.toml). */

declare module '*.wasm' {
  const module: WebAssembly.Module;
  export default module;
}

declare module '*.onnx' {
  const bytes: ArrayBuffer;
  export default bytes;
}

declare module 'onnxruntime-web/ort-wasm-simd-threaded.mjs' {
  /** Emscripten's module factory; `instantiateWasm` replaces its download and compilation. */
  export default function instantiateGlue(options: {
    readonly numThreads: number;
    readonly instantiateWasm: (
      imports: WebAssembly.Imports,
      done: (instance: WebAssembly.Instance, module: WebAssembly.Module) => void,
    ) => void;
  }): Promise<unknown>;
}
