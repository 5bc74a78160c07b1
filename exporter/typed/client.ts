/** Writes the source of a typed client: each model of a server as a function over `fetch`. */
import { readFile } from 'node:fs/promises';
import { siblingModule } from '../../training/files/index.ts';
import type { TypedModel } from './model.ts';
import { type Called, calledIn } from './types.ts';

/** The beginning of a client. */
export const clientMark = '/** Written by `bn-edge client`; do not edit. ';
/** Matches the beginning of a client. A file that begins otherwise is not overwritten. */
export const clientBegins = /^\/\*\* Written by `bn-edge client`/;

/** The names that the template, and the code around it, declare or read. */
export const taken: readonly string[] = [
  ...['connect', 'rows', 'pictures', 'post', 'only', 'nested', 'max', 'finite', 'predictors', 'standardUrl', 'server'],
  ...[
    'fetch',
    'Models',
    'PredictError',
    'ConnectOptions',
    'Server',
    'PictureFile',
    'Classified',
    'Predictor',
    'PredictOptions',
  ],
];

/** Is true if the server has a route for such a model: it answers pictures with labels alone. */
export const isCallable = ({ takes, answers }: TypedModel): boolean =>
  takes.kind !== 'picture' || !answers.kind.startsWith('number');

/**
 * @param models callable ones
 * @param url of the server, without a slash at its end; empty for that of the page
 */
export async function clientSource(models: readonly TypedModel[], url: string): Promise<string> {
  const called = calledIn(models, taken, 'PictureFile');
  const types = siblingModule(import.meta.url, '../../worker/predictor').href.replace(/\.js$/, '.d.ts');
  const [contract, template] = await Promise.all([
    readFile(new URL(types), 'utf8'),
    readFile(new URL('templates/client.ts', import.meta.url), 'utf8'),
  ]);
  const own = [
    ...called.flatMap(({ declarations }) => (declarations === '' ? [] : [declarations])),
    `export interface Models {\n${called.map(({ identifier, type }) => `  readonly ${identifier}: ${type};\n`).join('')}}\n`,
    `const standardUrl = ${JSON.stringify(url)};\n`,
    `const predictors = (server: Server): Models => ({\n${called.map(made).join('')}});\n`,
  ];
  const contractOnly = contract
    .replace(/^\/\*\*.*?\*\/\n/s, '')
    .replace(/^\/\/# sourceMappingURL=.*\n?/m, '')
    .trim();
  return [
    `${clientMark}The same command writes it again. */\n/* eslint-disable */\n`,
    ...own.slice(0, -2),
    contractOnly + '\n',
    ...own.slice(-2),
    withSections(template, new Set(called.map(({ model }) => callsOf[model.takes.kind]))),
  ].join('\n');
}

/** Names the function that calls each kind of model, which is the section of the template that declares it. */
const callsOf = { rows: 'rows', numbers: 'rows', picture: 'pictures' } as const;

/** Leaves out the sections that no model needs: many projects refuse functions that nothing calls. */
const withSections = (template: string, wanted: ReadonlySet<string>): string =>
  template.replace(/\/\/ <(\w+)>\n(.*?)\/\/ <\/\1>\n\n/gs, (_, name: string, section: string) =>
    wanted.has(name) ? section : '',
  );

function made({ identifier, model: { name, version, takes } }: Called): string {
  const shape = takes.kind === 'numbers' ? [takes.shape] : [];
  const given = [name, version, ...shape].map((value) => JSON.stringify(value)).join(', ');
  return `  ${identifier}: ${callsOf[takes.kind]}(server, ${given}),\n`;
}
