/**
 * Emits the models of an image as functions for programs to import: their code, the exports of `image.mjs`,
 * and their types.
 */
import { extname } from 'node:path';
import { siblingModule } from '../../training/files/index.ts';
import type { Taken, TypedModel } from '../typed/model.ts';
import { type Called, calledIn } from '../typed/types.ts';
import { bundleCalls, predictModule } from './bundle.ts';

export interface Calls {
  /** `module` holds lines of `image.mjs`; empty if there are no such models. */
  readonly module: string;
  /** `types` holds lines of `image.d.mts`. */
  readonly types: string;
  /** `files` holds `predict.mjs`. */
  readonly files: Readonly<Record<string, string>>;
}

interface Maker {
  /** `file` is a file of worker/predict. */
  readonly file: string;
  readonly name: string;
}

const makers: Readonly<Record<Taken['kind'], Maker>> = {
  rows: { file: 'calls', name: 'rowCalls' },
  numbers: { file: 'calls', name: 'numberCalls' },
  picture: { file: 'picture-calls', name: 'pictureCalls' },
};

/** Lists the names that `image.mjs` and its types declare or read already. */
const taken = [
  ...[
    'image',
    'models',
    'sessions',
    'switchName',
    'load',
    'started',
    'buildError',
    'wasm',
    'files',
    'session',
    'default',
    'console',
  ],
  ...['FeedError', 'InferenceError', 'PredictError', ...Object.values(makers).map(({ name }) => name)],
  ...['startImage', 'startStock', 'instantiate', 'sessionsOf', 'programsOf', 'loaderOf', 'modules', 'warmUp'],
];

export async function callsOf(models: readonly TypedModel[]): Promise<Calls> {
  if (models.length === 0) return { module: '', types: '', files: {} };
  const called = calledIn(models, taken);
  const used = new Set(called.map(({ model }) => makers[model.takes.kind]));
  const names = [...used].map(({ name }) => name);
  return {
    module: [
      `import { ${names.join(', ')} } from '${predictModule}';\n`,
      `export { PredictError } from '${predictModule}';\n`,
      ...called.map(exported),
    ].join(''),
    types: [
      '/** Thrown if a sample does not fit the model. Its name is `PredictError`. */\nexport declare class PredictError extends Error {}\n',
      ...called.flatMap(({ declarations }) => (declarations === '' ? [] : [declarations])),
      ...called.map(({ identifier, type }) => `export declare const ${identifier}: ${type};\n`),
    ].join('\n'),
    files: { [predictModule.replace('./', '')]: await bundleCalls(filesOf([...used])) },
  };
}

/**
 * Emits a model's export. It does nothing before a call, so that bundlers drop models that nothing imports, and with
 * them the code of the calls.
 */
function exported({ identifier, model }: Called): string {
  const { name, version, takes } = model;
  const calls = `${makers[takes.kind].name}(image, ${JSON.stringify(name)})`;
  return `export const ${identifier} = {
    name: ${JSON.stringify(name)},
    version: ${JSON.stringify(version)},
    predict: async (sample, options) => ${calls}.predict(sample, options),
    predictMany: async (samples, options) => ${calls}.predictMany(samples, options),
  };
`;
}

/** Maps each file, with the extension of compiled files or of their sources, to the names that are exported from it. */
function filesOf(used: readonly Maker[]): Readonly<Record<string, readonly string[]>> {
  const ending = extname(siblingModule(import.meta.url, './calls').pathname);
  const files = new Map<string, string[]>([[`calls${ending}`, ['PredictError']]]);
  for (const { file, name } of used) {
    const key = `${file}${ending}`;
    files.set(key, [...(files.get(key) ?? []), name]);
  }
  return Object.fromEntries(files);
}
