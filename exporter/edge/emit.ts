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
import type { LateWeights, Models, ProgramRecord } from './runtime/index.ts';
import { shapelessIn } from './shapeless.ts';

/** Contents by file name. */
export type EmittedFiles = Readonly<Record<string, string | Uint8Array>>;

/** Compiled models by the names of their sessions. */
export type Programs = Readonly<
  Record<string, { readonly wasm: Uint8Array; readonly wat: string; readonly record: ProgramRecord }>
>;

/** A model whose weights are static assets. */
export interface InAssets {
  readonly path: string;
  readonly sessions: readonly string[];
}

export interface EmitOptions {
  /** Whose are the last of the files of weights. */
  readonly inAssets?: readonly InAssets[];
  /** Write the programs' texts, too. */
  readonly emitWat?: boolean;
}

/**
 * An image of what ONNX Runtime answers, and of what has been compiled.
 *
 * @param image absent where everything is compiled: `image.wasm` is the first program then
 * @param typed the models that a program can call
 */
export async function emitImage(
  image: Pick<EdgeImage, 'wasm' | 'whole' | 'stored' | 'manifest'> | undefined,
  programs: Programs,
  about: readonly ModelAbout[],
  typed: readonly TypedModel[],
  { inAssets = [], emitWat = false }: EmitOptions = {},
): Promise<EmittedFiles> {
  const calls = await callsOf(typed);
  const all = image?.stored ?? [];
  const own = all.length - inAssets.length;
  const apart = inAssets.map(({ path }, i) => partsOf(path, own + i, all[own + i] ?? new Uint8Array()));
  const late = Object.fromEntries(inAssets.flatMap(({ sessions }, i) => sessions.map((name) => [name, own + i])));
  const stored = all.slice(0, own).map((bytes, i) => [`${weightsPrefix}${i}.bin`, bytes] as const);
  const [first, ...others] = [...(image ? [image.wasm] : []), ...Object.values(programs).map(({ wasm }) => wasm)];
  if (!first) throw new Error('internal: expected a model');
  const beside = others.map((wasm, i) => [`${programPrefix}${i}.wasm`, wasm] as const);
  const names = [...(image ? [] : ['image.wasm']), ...beside.map(([name]) => name)];
  const whole = image?.whole ? [['whole.wasm', image.whole] as const] : [];
  const modules = [...beside, ...whole];
  const texts = emitWat
    ? Object.values(programs).map(({ wat }, i) => [(names[i] ?? '').replace('.wasm', '.wat'), wat] as const)
    : [];
  const records = Object.fromEntries(Object.entries(programs).map(([name, { record }]) => [name, record]));
  const compiled = `programsOf(${image ? 'modules' : '[wasm, ...modules]'}, ${JSON.stringify(records)})`;
  const code: StartCode = image
    ? {
        from: runtimeModule,
        imports: 'programsOf, sessionsOf, startImage, warmUp',
        started: `await startImage(wasm, ${JSON.stringify(image.manifest)}, { stored: files, late: ${JSON.stringify(late)}, whole: modules[${beside.length}], onWhole: ${tellWhole} })`,
        sessions: `[...sessionsOf(started), ...${compiled}]`,
        warmed: warmedUp,
        late: apart.map(({ weights }) => weights),
      }
    : { from: programsModule, imports: 'programsOf', started: '{}', sessions: compiled, warmed: '', late: [] };
  return {
    'image.mjs': await bundle(imageModule(about, calls, code), 'unshared'),
    'image.wasm': first,
    ...Object.fromEntries<string | Uint8Array>([...stored, ...modules, ...texts]),
    ...Object.fromEntries(apart.flatMap(({ files }) => files)),
    ...(await surroundings(
      stored.map(([name]) => name),
      calls,
      modules.map(([name]) => name),
    )),
  };
}

/** A function of the image. */
const tellWhole = `(session) => {
  const path = session.slice(0, session.lastIndexOf('/'));
  console.warn(\`edge image: a request to \${path} reached code that no case of the build took; from here on whole.wasm answers (a sample like it in models/\${path}/samples.npz makes a build keep it)\`);
}`;

const programPrefix = 'program-';
/** How a bundled module imports the runtime of programs alone. */
const programsModule = runtimeModule.replace('index', 'programs');

/** Whether a file of an image is a module. */
export const isModule = (name: string): boolean => name.endsWith('.wasm');

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
    'image.mjs': await bundle(
      imageModule(about, calls, {
        from: runtimeModule,
        imports: 'instantiate, sessionsOf, startStock, warmUp',
        started: `await ${start}`,
        sessions: 'sessionsOf(started)',
        warmed: warmedUp,
        late: [],
      }),
      'shared',
    ),
    'image.wasm': stock,
    ...Object.fromEntries(beside),
    ...(await surroundings(
      beside.map(([name]) => name),
      calls,
    )),
  };
}

/** What of an image's module depends on how its sessions come to be. */
interface StartCode {
  /** The module that has all of it. */
  readonly from: string;
  /** Names of that module, beside those that every image needs. */
  readonly imports: string;
  /** An expression for what has been started. */
  readonly started: string;
  /** One for pairs of names and sessions. */
  readonly sessions: string;
  /** Statements that run each of them once; a program has run when it is there. */
  readonly warmed: string;
  readonly late: readonly LateWeights[];
}

/** JSON as a program reads it: in a literal, a member called `__proto__` would be the object's prototype. */
export const literal = (value: unknown): string => JSON.stringify(value).replaceAll('"__proto__":', '["__proto__"]:');

/** How the names of sessions end that no answer waits for, or few. */
const besideModels = /\/(switchable|watched)$/;

/**
 * Sessions are warmed up in the global scope, so that the first request finds compiled code; but for twins, which few requests ask
 * for, and those that are watched, which run after an answer: all others would wait.
 */
const warmedUp = `
  for (const session of sessions.values()) {
    if (session.isReady && !${String(besideModels)}.test(session.name)) try { warmUp(session); } catch { /* It trapped on zeros, and has been restored. */ }
  }`;

const imageModule = (
  about: readonly ModelAbout[],
  calls: Calls,
  { from, imports, started, sessions, warmed, late }: StartCode,
) => `
  import wasm, { files, modules } from '#wasm';
  import buildError from '#build-error';
  import { ${imports}${late.length > 0 ? ', loaderOf' : ''} } from '${from}';
  export { FeedError, InferenceError } from '${from}';
  export const models = ${literal(about)};
  export const switchName = ${JSON.stringify(switchName)};
  const started = ${started};
  export const sessions = new Map(${sessions});
  export const load = ${late.length > 0 ? `loaderOf(${JSON.stringify(late)}, started.provide)` : 'async () => {}'};
  ${warmed}
  const image = { models, sessions, switchName, load, buildError };
  export { image as default };
  ${calls.module}
`;

/**
 * @param files that the module needs beside its own
 * @param modules of WebAssembly, beside the first
 */
async function surroundings(
  files: readonly string[],
  calls: Calls,
  modules: readonly string[] = [],
): Promise<EmittedFiles> {
  const loaders = {
    workerd: workerdLoader(files, modules),
    node: nodeLoader(files, modules),
    default: browserLoader(files, modules),
  };
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

/** Bundlers recognise the addresses by how they are written. */
const browserLoader = (files: readonly string[], modules: readonly string[]) => `const load = async (url) => {
  const response = await fetch(url);
  if (!response.ok) throw new Error(\`\${response.url}: expected a file of the edge image, got status \${response.status}\`);
  return new Uint8Array(await response.arrayBuffer());
};

export const files = await Promise.all([${files.map((file) => `load(new URL('./${file}', import.meta.url))`).join(', ')}]);
export const modules = await Promise.all([${modules.map((file) => `load(new URL('./${file}', import.meta.url)).then((bytes) => WebAssembly.compile(bytes))`).join(', ')}]);
export default await WebAssembly.compile(await load(new URL('./image.wasm', import.meta.url)));
`;
