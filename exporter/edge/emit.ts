/**
 * Emits the files of an image: `image.mjs`, whose sessions are ready to run, its types, `image.wasm`, and a loader for
 * each kind of host. `package.json` maps conditions to these loaders; bundlers for workerd, Node and bundlers for
 * browsers understand it.
 */

import { hash } from 'node:crypto';

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

/** Maps file names to contents. */
export type EmittedFiles = Readonly<Record<string, string | Uint8Array>>;

/** Maps the names of sessions to compiled models. */
export type Programs = Readonly<
  Record<string, { readonly wasm: Uint8Array; readonly wat: string; readonly record: ProgramRecord }>
>;

/** Names a model whose weights are static assets, with its sessions. */
export interface InAssets {
  readonly path: string;
  readonly sessions: readonly string[];
}

export interface EmitOptions {
  /** `inAssets` lists the models whose weights are the last files in `stored`. */
  readonly inAssets?: readonly InAssets[];
  /** Writes the texts of the programs, too. */
  readonly emitWat?: boolean;
}

/**
 * Emits an image of the models that ONNX Runtime runs and of those that are compiled.
 *
 * @param image absent if all models are compiled; the first program is `image.wasm` then
 * @param typed models that a program can call as functions
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

/** Source of the function that logs, in the deployed image, that whole.wasm has taken over. */
const tellWhole = `(session) => {
  const path = session.slice(0, session.lastIndexOf('/'));
  console.warn(\`edge image: a request to \${path} reached code that no case of the build took; from here on whole.wasm answers (a sample like it in models/\${path}/samples.npz makes a build keep it)\`);
}`;

const programPrefix = 'program-';
/** `programsModule` is the path by which a bundled module imports the runtime for programs alone. */
const programsModule = runtimeModule.replace('index', 'programs');

/** Is true if a file of an image is a WebAssembly module. */
export const isModule = (name: string): boolean => name.endsWith('.wasm');

const weightsPrefix = 'weights-';

/** Is true if a file of an image holds weights that are part of the script. */
export const isWeights = (name: string): boolean => name.startsWith(weightsPrefix);

/** The maximum size of a static asset. https://developers.cloudflare.com/workers/platform/limits/#static-assets */
const maxBytes = 25 * 2 ** 20;

/**
 * Cuts a model's weights into assets. Each is named after its content's hash, so that an older Worker still finds its
 * own weights, or none at all.
 */
function partsOf(path: string, file: number, stored: Uint8Array) {
  const contents = Array.from({ length: Math.ceil(stored.length / maxBytes) }, (_, i) =>
    stored.subarray(i * maxBytes, (i + 1) * maxBytes),
  );
  const parts = contents.map((content) => {
    const sha256 = hash('sha256', content);
    return { name: `${sha256}.bin`, sha256, content };
  });
  const weights: LateWeights = { path, file, parts: parts.map(({ name, sha256 }) => ({ name, sha256 })) };
  return { weights, files: parts.map(({ name, content }) => [`${assetsFolder}${name}`, content] as const) };
}

/** The folder of assets in an image. The Worker requests paths relative to `assets`. */
const assetsFolder = 'assets/weights/';

/** Is true if a file of an image holds weights that are static assets. */
export const isAsset = (name: string): boolean => name.startsWith(assetsFolder);

/** Emits the same interface on the stock runtime, which parses the models and creates their sessions at every start. */
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

/** Holds the parts of an image's module that depend on how its sessions are created. */
interface StartCode {
  /** `from` is the module that exports all of `imports`. */
  readonly from: string;
  /** `imports` lists names exported by that module, beside those that every image needs. */
  readonly imports: string;
  /** `started` is an expression for the started runtime. */
  readonly started: string;
  /** `sessions` is an expression for pairs of names and sessions. */
  readonly sessions: string;
  /**
   * `warmed` holds statements that run each session once. Programs need none: they have run once when they are created.
   */
  readonly warmed: string;
  readonly late: readonly LateWeights[];
}

/**
 * Returns JSON as a JavaScript expression: in an object literal, a member called `__proto__` would set the prototype.
 */
export const literal = (value: unknown): string => JSON.stringify(value).replaceAll('"__proto__":', '["__proto__"]:');

/** Matches the names of sessions that no answer waits for, or few. */
const besideModels = /\/(switchable|watched)$/;

/**
 * Statements that warm sessions up in the global scope, so that the first request finds compiled code. They leave out
 * twins, which few requests use, and watched networks, which run after an answer: warming those up would delay all
 * other requests.
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
 * Emits the files around `image.mjs`.
 *
 * @param files binary files that the module needs
 * @param modules WebAssembly modules beside `image.wasm`
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
