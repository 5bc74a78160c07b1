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

declare module 'jpeg-js/lib/decoder.js' {
  interface Decoded {
    readonly width: number;
    readonly height: number;
    /** Red, green, blue and alpha of each pixel. */
    readonly data: Uint8Array;
  }
  /** @throws Error where the file is damaged or needs more memory than allowed */
  export default function decode(
    file: Uint8Array,
    options: {
      readonly useTArray: true;
      readonly tolerantDecoding: boolean;
      readonly maxMemoryUsageInMB: number;
    },
  ): Decoded;
}
