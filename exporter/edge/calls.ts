/** The models of an image as functions of a program's own: the code behind them, the exports of `image.mjs`, and their types. */
import { extname } from 'node:path';
import { siblingModule } from '../../training/files/index.ts';
import type { Taken, TypedModel } from '../typed/model.ts';
import { type Called, calledIn } from '../typed/types.ts';
import { bundleCalls, predictModule } from './bundle.ts';

export interface Calls {
  /** Lines of `image.mjs`; none without such models. */
  readonly module: string;
  /** Lines of `image.d.mts`. */
  readonly types: string;
  /** `predict.mjs` */
  readonly files: Readonly<Record<string, string>>;
}

interface Maker {
  /** In worker/predict. */
  readonly file: string;
  readonly name: string;
}

const makers: Readonly<Record<Taken['kind'], Maker>> = {
  rows: { file: 'calls', name: 'rowCalls' },
  numbers: { file: 'calls', name: 'numberCalls' },
  picture: { file: 'picture-calls', name: 'pictureCalls' },
};

/** What `image.mjs` has beside the models, and what its types are called. */
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
  ],
  ...['FeedError', 'InferenceError', 'PredictError', ...Object.values(makers).map(({ name }) => name)],
  ...['startImage', 'startStock', 'instantiate', 'sessionsOf', 'programsOf', 'modules', 'warmUp'],
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
      "/** A sample is none of the model's. Its name is `PredictError`. */\nexport declare class PredictError extends Error {}\n",
      ...called.flatMap(({ declarations }) => (declarations === '' ? [] : [declarations])),
      ...called.map(({ identifier, type }) => `export declare const ${identifier}: ${type};\n`),
    ].join('\n'),
    files: { [predictModule.replace('./', '')]: await bundleCalls(filesOf([...used])) },
  };
}

/** Nothing is done before a call, so that bundlers drop what nobody imports, and the code of the calls with it. */
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

/** With the ending that the compiled files have, or their sources. */
function filesOf(used: readonly Maker[]): Readonly<Record<string, readonly string[]>> {
  const ending = extname(siblingModule(import.meta.url, './calls').pathname);
  const files = new Map<string, string[]>([[`calls${ending}`, ['PredictError']]]);
  for (const { file, name } of used) {
    const key = `${file}${ending}`;
    files.set(key, [...(files.get(key) ?? []), name]);
  }
  return Object.fromEntries(files);
}
