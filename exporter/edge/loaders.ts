/**
 * Emits what surrounds `image.mjs`: a loader of the binary files for each kind of host, the `package.json` that maps
 * conditions to these loaders, and the types. Bundlers for workerd, Node and bundlers for browsers understand the
 * conditions.
 */

import type { Calls } from './calls.ts';
import { declarations } from './declarations.ts';
import type { EmittedFiles } from './emitted-files.ts';
import { failureFile } from './out-folder.ts';

/**
 * Emits the files around `image.mjs`.
 *
 * @param files binary files that the module needs
 * @param modules WebAssembly modules beside `image.wasm`
 */
export async function surroundings(
  calls: Calls,
  files: readonly string[],
  modules: readonly string[] = [],
): Promise<EmittedFiles> {
  const loaders = {
    workerd: workerdLoader(files, modules),
    node: nodeLoader(files, modules),
    default: browserLoader(files, modules),
  };
  const conditions = Object.keys(loaders).map((condition) => [condition, `./wasm.${condition}.mjs`]);
  const imports = { '#wasm': Object.fromEntries(conditions) as unknown, '#build-error': `./${failureFile}` };
  // `sideEffects: false` lets bundlers leave out the exports that nothing imports.
  const manifest = { private: true, type: 'module', sideEffects: false, imports };
  return {
    ...Object.fromEntries(Object.entries(loaders).map(([condition, code]) => [`wasm.${condition}.mjs`, code])),
    'package.json': `${JSON.stringify(manifest, null, 2)}\n`,
    ...calls.files,
    'image.d.mts': `${await declarations()}\n${calls.types}`,
    '.gitignore': '*\n',
  };
}

/** Wrangler recognises modules (`.wasm`) and data (`.bin`) by their extensions. */
const workerdLoader = (files: readonly string[], modules: readonly string[]) => `import wasm from './image.wasm';
${files.map((file, i) => `import file${i} from './${file}';\n`).join('')}${modules.map((file, i) => `import module${i} from './${file}';\n`).join('')}
export const modules = [${modules.map((_, i) => `module${i}`).join(', ')}];
export const files = [${files.map((_, i) => `new Uint8Array(file${i})`).join(', ')}];
export default wasm;
`;

const nodeLoader = (files: readonly string[], modules: readonly string[]) => `import { readFileSync } from 'node:fs';

const read = (name) => new Uint8Array(readFileSync(new URL(name, import.meta.url)));

export const files = ${JSON.stringify(files.map((file) => `./${file}`))}.map(read);
export const modules = ${JSON.stringify(modules.map((file) => `./${file}`))}.map((name) => new WebAssembly.Module(read(name)));
export default new WebAssembly.Module(read('./image.wasm'));
`;

/** Bundlers recognise `new URL('…', import.meta.url)` only in this literal form. */
const browserLoader = (files: readonly string[], modules: readonly string[]) => `const load = async (url) => {
  const response = await fetch(url);
  if (!response.ok) throw new Error(\`\${response.url}: expected a file of the edge image, got status \${response.status}\`);
  return new Uint8Array(await response.arrayBuffer());
};

export const files = await Promise.all([${files.map((file) => `load(new URL('./${file}', import.meta.url))`).join(', ')}]);
export const modules = await Promise.all([${modules.map((file) => `load(new URL('./${file}', import.meta.url)).then((bytes) => WebAssembly.compile(bytes))`).join(', ')}]);
export default await WebAssembly.compile(await load(new URL('./image.wasm', import.meta.url)));
`;
