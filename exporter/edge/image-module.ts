/** Writes the source of `image.mjs`, which differs by what runs the models: an image, programs alone, or stock. */

import type { ModelAbout } from '../../worker/image.ts';
import { switchName } from '../served/switchable.ts';
import { runtimeModule } from './bundle.ts';
import type { Calls } from './calls.ts';
import type { ImageManifest, LateWeights, Models, ProgramRecord } from './runtime/index.ts';
import { shapelessIn } from './shapeless.ts';

/** Holds the parts of the module that depend on how its sessions are created. */
export interface StartCode {
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

export const imageModule = (
  about: readonly ModelAbout[],
  calls: Calls,
  { from, imports, started, sessions, warmed, late }: StartCode,
): string => `
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
 * Returns JSON as a JavaScript expression: in an object literal, a member called `__proto__` would set the prototype.
 */
export const literal = (value: unknown): string => JSON.stringify(value).replaceAll('"__proto__":', '["__proto__"]:');

/** Matches the names of sessions that no answer waits for, or few. */
const besideModels = /\/(switchable|watched)$/;

/**
 * Holds statements that warm sessions up in the global scope, so that the first request finds compiled code. They leave out
 * twins, which few requests use, and watched networks, which run after an answer: warming those up would delay all
 * other requests.
 */
const warmedUp = `
  for (const session of sessions.values()) {
    if (session.isReady && !${String(besideModels)}.test(session.name)) try { warmUp(session); } catch { /* It trapped on zeros, and has been restored. */ }
  }`;

/** Holds what an image needs to start, beside its own module. */
export interface ImageStart {
  readonly manifest: ImageManifest;
  readonly late: readonly LateWeights[];
  /** Maps each session whose weights come later to the index of its file. */
  readonly lateSessions: Readonly<Record<string, number>>;
}

/** @param programs records of the compiled models, whose modules come before that of the whole code */
export function startOfImage(
  { manifest, late, lateSessions }: ImageStart,
  programs: Readonly<Record<string, ProgramRecord>>,
): StartCode {
  const whole = `modules[${Object.keys(programs).length}]`;
  const options = `{ stored: files, late: ${JSON.stringify(lateSessions)}, whole: ${whole}, onWhole: ${tellWhole} }`;
  return {
    from: runtimeModule,
    imports: 'programsOf, sessionsOf, startImage, warmUp',
    started: `await startImage(wasm, ${JSON.stringify(manifest)}, ${options})`,
    sessions: `[...sessionsOf(started), ...programsOf(modules, ${JSON.stringify(programs)})]`,
    warmed: warmedUp,
    late,
  };
}

/** The source of the function that logs, in the deployed image, that whole.wasm has taken over. */
const tellWhole = `(session) => {
  const path = session.slice(0, session.lastIndexOf('/'));
  console.warn(\`edge image: a request to \${path} reached code that no case of the build took; from here on whole.wasm answers (a sample like it in models/\${path}/samples.npz makes a build keep it)\`);
}`;

/** `programsModule` is the path by which a bundled module imports the runtime for programs alone. */
const programsModule = runtimeModule.replace('index', 'programs');

/** @param programs records of the compiled models, the first of which is `image.wasm` */
export const startOfPrograms = (programs: Readonly<Record<string, ProgramRecord>>): StartCode => ({
  from: programsModule,
  imports: 'programsOf',
  started: '{}',
  sessions: `programsOf([wasm, ...modules], ${JSON.stringify(programs)})`,
  warmed: '',
  late: [],
});

export function startOfStock(models: Models): StartCode {
  const start = `startStock(
    (imports) => instantiate(wasm, imports),
    Object.fromEntries(${JSON.stringify(Object.keys(models))}.map((name, i) => [name, files[i]])),
    { shapeless: ${JSON.stringify(shapelessIn(models))} },
  )`;
  return {
    from: runtimeModule,
    imports: 'instantiate, sessionsOf, startStock, warmUp',
    started: `await ${start}`,
    sessions: 'sessionsOf(started)',
    warmed: warmedUp,
    late: [],
  };
}
