/** The files that a Worker imports: a module `edge.mjs` whose `sessions` are ready to run, its types, and `edge.wasm`. */

import { readFile } from 'node:fs/promises';

import { bundle } from './bundle.ts';
import type { EdgeImage } from './image.ts';
import type { Models } from './runtime/index.ts';

/** Contents by file name. */
export type EmittedFiles = Readonly<Record<string, string | Uint8Array>>;

const imports = `
  import wasm from './edge.wasm';
  import { sessionsOf, startImage, startStock, warmUp } from './index.ts';
  export { bytesOf, createData, elementBytes, elementCount, FeedError, InferenceError } from './index.ts';
`;

/** Sessions are warmed up in the global scope, so that the first request finds compiled code. */
const start = (started: string) => `
  export const sessions = sessionsOf(await ${started});
  for (const session of sessions.values()) warmUp(session);
`;

/** A Worker on the specialised image. */
export async function emitImage({ wasm, manifest }: Pick<EdgeImage, 'wasm' | 'manifest'>): Promise<EmittedFiles> {
  const source = `${imports}${start(`startImage(wasm, ${JSON.stringify(manifest)})`)}`;
  return { 'edge.mjs': await bundle(source, 'unshared'), 'edge.wasm': wasm, 'edge.d.mts': await declarations() };
}

/** The same interface on the stock runtime: models are parsed and sessions created in every isolate. */
export async function emitStock(stock: Uint8Array, models: Models): Promise<EmittedFiles> {
  const names = Object.keys(models);
  const files = names.map((_, i) => `model-${i}.bin`);
  const source = `${imports}
    ${files.map((file, i) => `import model${i} from './${file}';`).join('\n')}
    const models = { ${names.map((name, i) => `${JSON.stringify(name)}: new Uint8Array(model${i})`).join(', ')} };
    ${start('startStock((imports) => new WebAssembly.Instance(wasm, imports), models)')}`;
  return {
    'edge.mjs': await bundle(source, 'shared'),
    'edge.wasm': stock,
    'edge.d.mts': await declarations(),
    ...Object.fromEntries(Object.values(models).map((model, i) => [`model-${i}.bin`, model])),
  };
}

function declarations(): Promise<string> {
  return readFile(new URL('./edge-declarations.d.ts', import.meta.url), 'utf8');
}
