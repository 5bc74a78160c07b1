/**
 * The files of an image: `image.mjs`, whose sessions are ready to run, its types, `image.wasm`, and a loader for each kind of
 * host, between which `package.json` chooses: bundlers for workerd, Node and bundlers for browsers know what it says.
 */

import { createHash } from 'node:crypto';

import type { ModelAbout } from '../../worker/image.ts';
import { switchName } from '../served/switchable.ts';
import type { TypedModel } from '../typed/model.ts';
import { bundle, runtimeModule } from './bundle.ts';
import { type Calls, callsOf } from './calls.ts';
import { declarations } from './declarations.ts';
import type { EdgeImage } from './image.ts';
import { failureFile } from './out-folder.ts';
import type { LateWeights, Models } from './runtime/index.ts';
import { shapelessIn } from './shapeless.ts';

/** Contents by file name. */
export type EmittedFiles = Readonly<Record<string, string | Uint8Array>>;

/** A model whose weights are static assets. */
export interface InAssets {
  readonly path: string;
  readonly sessions: readonly string[];
}

/**
 * An image on the specialised runtime.
 * @param typed the models that a program can call
 * @param inAssets whose are the last of the files of weights
 */
export async function emitImage(
  { wasm, stored, manifest }: Pick<EdgeImage, 'wasm' | 'stored' | 'manifest'>,
  about: readonly ModelAbout[],
  typed: readonly TypedModel[],
  inAssets: readonly InAssets[] = [],
): Promise<EmittedFiles> {
  const calls = await callsOf(typed);
  const own = stored.length - inAssets.length;
  const apart = inAssets.map(({ path }, i) => partsOf(path, own + i, stored[own + i] ?? new Uint8Array()));
  const late = Object.fromEntries(inAssets.flatMap(({ sessions }, i) => sessions.map((name) => [name, own + i])));
  const options = `{ stored: files, late: ${JSON.stringify(late)} }`;
  const source = imageModule(
    about,
    `startImage(wasm, ${JSON.stringify(manifest)}, ${options})`,
    calls,
    apart.map(({ weights }) => weights),
  );
  const beside = stored.slice(0, own).map((bytes, i) => [`${weightsPrefix}${i}.bin`, bytes] as const);
  return {
    'image.mjs': await bundle(source, 'unshared'),
    'image.wasm': wasm,
    ...Object.fromEntries(beside),
    ...Object.fromEntries(apart.flatMap(({ files }) => files)),
    ...(await surroundings(
      beside.map(([name]) => name),
      calls,
    )),
  };
}

const weightsPrefix = 'weights-';

/** Whether a file of an image is one of weights, in the script. */
export const isWeights = (name: string): boolean => name.startsWith(weightsPrefix);

/** What a static asset may have. https://developers.cloudflare.com/workers/platform/limits/#static-assets */
const mostBytes = 25 * 2 ** 20;

/** Files that are called by what is in them: an older Worker finds its own, or none. */
function partsOf(path: string, file: number, stored: Uint8Array) {
  const contents = Array.from({ length: Math.ceil(stored.length / mostBytes) }, (_, i) =>
    stored.subarray(i * mostBytes, (i + 1) * mostBytes),
  );
  const parts = contents.map((content) => {
    const sha256 = createHash('sha256').update(content).digest('hex');
    return { name: `${sha256}.bin`, sha256, content };
  });
  const weights: LateWeights = { path, file, parts: parts.map(({ name, sha256 }) => ({ name, sha256 })) };
  return { weights, files: parts.map(({ name, content }) => [`${assetsFolder}${name}`, content] as const) };
}

/** The assets of an image; below them is what the Worker asks for. */
const assetsFolder = 'assets/weights/';

/** Whether a file of an image is one of weights, among the static assets. */
export const isAsset = (name: string): boolean => name.startsWith(assetsFolder);

/** The same interface on the stock runtime: models are parsed and sessions created at every start. */
export async function emitStock(
  stock: Uint8Array,
  models: Models,
  about: readonly ModelAbout[],
  typed: readonly TypedModel[],
): Promise<EmittedFiles> {
  const calls = await callsOf(typed);
  const [names, files] = [Object.keys(models), Object.values(models)];
  const start = `startStock(
    (imports) => instantiate(wasm, imports),
    Object.fromEntries(${JSON.stringify(names)}.map((name, i) => [name, files[i]])),
    { shapeless: ${JSON.stringify(shapelessIn(models))} },
  )`;
  const beside = files.map((file, i) => [`model-${i}.bin`, file] as const);
  return {
    'image.mjs': await bundle(imageModule(about, start, calls), 'shared'),
    'image.wasm': stock,
    ...Object.fromEntries(beside),
    ...(await surroundings(
      beside.map(([name]) => name),
      calls,
    )),
  };
}

/** Sessions are warmed up in the global scope, so that the first request finds compiled code. */
const imageModule = (
  about: readonly ModelAbout[],
  started: string,
  calls: Calls,
  late: readonly LateWeights[] = [],
) => `
  import wasm, { files } from '#wasm';
  import buildError from '#build-error';
  import { instantiate, loaderOf, sessionsOf, startImage, startStock, warmUp } from '${runtimeModule}';
  export { FeedError, InferenceError } from '${runtimeModule}';
  export const models = ${JSON.stringify(about)};
  export const switchName = ${JSON.stringify(switchName)};
  const started = await ${started};
  export const sessions = sessionsOf(started);
  export const load = loaderOf(${JSON.stringify(late)}, started.provide);
  for (const session of sessions.values()) {
    if (session.isReady) try { warmUp(session); } catch { /* It trapped on zeros, and has been restored. */ }
  }
  const image = { models, sessions, switchName, load, buildError };
  export default image;
  ${calls.module}
`;

/** @param files that the module needs beside its own */
async function surroundings(files: readonly string[], calls: Calls): Promise<EmittedFiles> {
  const loaders = { workerd: workerdLoader(files), node: nodeLoader(files), default: browserLoader(files) };
  const conditions = Object.keys(loaders).map((condition) => [condition, `./wasm.${condition}.mjs`]);
  const imports = { '#wasm': Object.fromEntries(conditions) as unknown, '#build-error': `./${failureFile}` };
  // What is not imported of it is not bundled.
  const manifest = { private: true, type: 'module', sideEffects: false, imports };
  return {
    ...Object.fromEntries(Object.entries(loaders).map(([condition, code]) => [`wasm.${condition}.mjs`, code])),
    'package.json': `${JSON.stringify(manifest, null, 2)}\n`,
    ...calls.files,
    'image.d.mts': `${await declarations()}\n${calls.types}`,
    '.gitignore': '*\n',
  };
}

/** Wrangler makes modules of both kinds of files by their names. */
const workerdLoader = (files: readonly string[]) => `import wasm from './image.wasm';
${files.map((file, i) => `import file${i} from './${file}';\n`).join('')}
export const files = [${files.map((_, i) => `new Uint8Array(file${i})`).join(', ')}];
export default wasm;
`;

const nodeLoader = (files: readonly string[]) => `import { readFileSync } from 'node:fs';

const read = (name) => new Uint8Array(readFileSync(new URL(name, import.meta.url)));

export const files = ${JSON.stringify(files.map((file) => `./${file}`))}.map(read);
export default new WebAssembly.Module(read('./image.wasm'));
`;

/** Bundlers recognise the addresses by how they are written. */
const browserLoader = (files: readonly string[]) => `const load = async (url) => {
  const response = await fetch(url);
  if (!response.ok) throw new Error(\`\${response.url}: expected a file of the edge image, got status \${response.status}\`);
  return new Uint8Array(await response.arrayBuffer());
};

export const files = await Promise.all([${files.map((file) => `load(new URL('./${file}', import.meta.url))`).join(', ')}]);
export default await WebAssembly.compile(await load(new URL('./image.wasm', import.meta.url)));
`;
