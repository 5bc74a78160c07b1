/**
 * Keeps ONNX Runtime's glue code on its browser path: workerd has a `process` with `versions.node`, but none of the
 * Node modules that the glue would load. The one exception it knows is Electron's renderer. Import this before it:
 * https://github.com/emscripten-core/emscripten/blob/4.0.23/src/shell.js
 */
Object.assign(Reflect.get(globalThis, 'process') ?? {}, { type: 'renderer' });
