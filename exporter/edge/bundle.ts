/**
 * Bundles the runtime and the official glue into one file without Node APIs. Everything in the glue that asks which
 * host it runs on is replaced by a fixed answer, so that it behaves the same at build time and in a Worker. The
 * replacements are for names of the web platform and Node, never for the glue's own names, which are minified.
 */

import { basename, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';
import type { BuildOptions } from 'esbuild';

import { siblingModule } from '../../training/files/index.ts';
import type * as runtime from './runtime/index.ts';

export type Runtime = typeof runtime;

/** `unshared` is for specialised modules, `shared` for the stock module, which insists on a shared memory. */
export type MemoryKind = 'shared' | 'unshared';

const runtimeEntry = fileURLToPath(siblingModule(import.meta.url, './runtime/index'));
const runtimeFolder = dirname(runtimeEntry);

/**
 * Holds the models as functions. It is a file of its own, so that a Worker's bundle includes it only if it calls one.
 */
export const predictModule = './predict.mjs';

/** `runtimeModule` is the path by which a bundled module imports the runtime. */
export const runtimeModule = `./${basename(runtimeEntry)}`;

const noHost = {
  'globalThis.process': 'undefined',
  'globalThis.window': 'undefined',
  'globalThis.self': 'undefined',
  'globalThis.WorkerGlobalScope': 'undefined',
  'globalThis.navigator': 'undefined',
  'navigator.hardwareConcurrency': '1',
  'import.meta.url': '""',
  // The glue also prints what it then throws. `Object` accepts any arguments and prints nothing.
  'console.error': 'Object',
};

const unsharedMemory = {
  define: {
    ...noHost,
    'WebAssembly.Memory': 'UnsharedMemory',
    'globalThis.SharedArrayBuffer': 'ArrayBuffer',
    'Atomics.waitAsync': 'undefined',
  },
  inject: [fileURLToPath(siblingModule(import.meta.url, './runtime/unshared-memory'))],
} satisfies BuildOptions;

/** Bundles `source`, which imports with `./` from `resolveDir`, into one minified module. */
async function bundled(source: string, resolveDir: string, options: BuildOptions = {}): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir, loader: 'ts' },
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2024',
    tsconfigRaw: {},
    platform: 'browser',
    logLevel: 'silent',
    ...options,
    write: false,
  });
  return outputFiles.map(({ text }) => text).join('');
}

/** Bundles `source`, a module that imports from the runtime's folder with `./`. */
export const bundle = (source: string, memory: MemoryKind): Promise<string> =>
  bundled(source, runtimeFolder, {
    external: ['#*', '*.wasm', predictModule],
    define: noHost,
    ...(memory === 'unshared' ? unsharedMemory : {}),
    plugins: [nodeBuiltins],
  });

const callsFile = siblingModule(import.meta.url, '../../worker/predict/calls');

/**
 * Bundles those parts of the Worker's code that answer without HTTP.
 *
 * @param files maps files of worker/predict to the names to export from each
 */
export async function bundleCalls(files: Readonly<Record<string, readonly string[]>>): Promise<string> {
  const source = Object.entries(files).map(([file, names]) => `export { ${names.join(', ')} } from './${file}';\n`);
  return bundled(source.join(''), dirname(fileURLToPath(callsFile)));
}

/** Replaces the two modules that the glue imports only if `process` exists, which `noHost` says it does not. */
const nodeBuiltins = {
  name: 'no-node-builtins',
  setup(api: Parameters<NonNullable<BuildOptions['plugins']>[number]['setup']>[0]) {
    api.onResolve({ filter: /^(module|worker_threads)$/ }, ({ path }) => ({ path, namespace: 'absent' }));
    api.onLoad({ filter: /.*/, namespace: 'absent' }, () => ({ contents: 'export {}' }));
  },
};

/** Loads a bundle into this process, without a file. */
async function importBundle(code: string): Promise<unknown> {
  const named = Buffer.from(`${code}\n//# sourceURL=edge-runtime.mjs`);
  return import(/* @vite-ignore */ `data:text/javascript;base64,${named.toString('base64')}`);
}

/** Loads the whole runtime, as it behaves in a Worker, for the build's own use. */
export async function loadRuntime(memory: MemoryKind): Promise<Runtime> {
  return (await importBundle(await bundle(`export * from '${runtimeModule}';`, memory))) as Runtime;
}
