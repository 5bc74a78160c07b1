/**
 * The types beside an image are those of each model's rows and answers: what the model would refuse does not compile.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ts from '@typescript/typescript6';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callsOf } from '../../exporter/edge/calls.ts';
import { declarations } from '../../exporter/edge/declarations.ts';
import { typedColumns, typedModel, type TypedModel } from '../../exporter/typed/model.ts';
import type { Column } from '../../training/columns/index.ts';

const columns: readonly Column[] = [
  { kind: 'categorical', name: 'plan', categories: ['Enterprise', 'it\'s \\ "new"', 'Pro'], fill: null },
  { kind: 'numeric', name: 'seats', fill: 3, range: [1, 120], unit: '*/ $' },
  { kind: 'date', name: 'since (UTC)', parts: ['year'], order: 'YMD', years: [2019, 2024], fill: null },
];

const model = (name: string, shape: readonly number[], answer: object): TypedModel => {
  const found = typedModel({
    name,
    version: '1',
    inputs: [{ name: 'x', datatype: 'FP32', shape }],
    outputs: [{ name: 'y', shape: [-1, 2] }],
    columns: typedColumns(name.startsWith('churn') ? columns : undefined, shape),
    takesPictures: name === 'digits',
    ...answer,
  });
  if (!found) throw new Error(`${name}: expected a model that can be called`);
  return found;
};
const labels = ['yes', 'no'];
const models = [
  model('churn', [-1, 3], { output: { name: 'y', kind: 'logits' }, labels }),
  model('churn-tags', [-1, 3], { output: { name: 'y', kind: 'multi-label' }, labels }),
  model('class', [-1, 4], { output: { name: 'y', kind: 'number' } }),
  model('digits', [-1, 1, 28, 28], { output: { name: 'y', kind: 'probabilities' } }),
];

const lines: readonly [line: string, isWrong: boolean][] = [
  [`churn.predict({ plan: 'Pro', seats: 3, 'since (UTC)': '2024-05-01' })`, false],
  [`churn.predict({ plan: "it's \\\\ \\"new\\"", seats: null, 'since (UTC)': '2024-05-01' }, { unknown: 'fill' })`, false],
  [`churn.predictMany([{ plan: 'Pro', 'since (UTC)': '2024-05-01' }])`, false],
  [`churn.predict({ plan: 'Free', 'since (UTC)': '2024-05-01' })`, true],
  [`churn.predict({ plan: null, 'since (UTC)': '2024-05-01' })`, true],
  [`churn.predict({ plan: 'Pro' })`, true],
  [`churn.predict({ plan: 'Pro', seats: '3', 'since (UTC)': '2024-05-01' })`, true],
  [`churn.predict({ plan: 'Pro', seat: 3, 'since (UTC)': '2024-05-01' })`, true],
  [`churn.predict({ plan: 'Pro', 'since (UTC)': '2024-05-01' }, { unknown: 'guess' })`, true],
  [`((await churn.predict(row)).label satisfies 'yes' | 'no' | null)`, false],
  [`((await churn.predict(row)).label === 'maybe')`, true],
  [`((await churn.predict(row)).probabilities?.yes satisfies number | undefined)`, false],
  [`((await churn.predict(row)).value)`, true],
  [`((await churnTags.predict(row)).labels satisfies readonly ('yes' | 'no')[] | null)`, false],
  [`((await classModel.predict([1, 2, 3, 4])).values satisfies readonly number[] | null)`, false],
  [`classModel.predict(row)`, true],
  [`((await digits.predict(new Uint8Array())).label satisfies string | null)`, false],
  [`digits.predict({ data: new Uint8ClampedArray(4), width: 1, height: 1 })`, false],
  [`digits.predict('seven.png')`, true],
  [`(models.length + sessions.size)`, false],
]; // oxfmt-ignore

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-typed-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Returns the numbers of the lines that do not compile, from 1. */
async function wrongLines(libraries: readonly string[]): Promise<readonly number[]> {
  const file = join(folder, 'program.mts');
  const own = `import { churn, churnTags, classModel, digits, models, sessions, type ChurnRow } from './image.mjs';`;
  const row = `export const row: ChurnRow = { plan: 'Pro', seats: null, 'since (UTC)': '2024-05-01' };`;
  const calls = lines.map(([line]) => `void ${line};`);
  await writeFile(join(folder, 'image.d.mts'), `${await declarations()}\n${(await callsOf(models)).types}`);
  await writeFile(file, [own, row, ...calls].join('\n'));
  const program = ts.createProgram([file], {
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    lib: [...libraries],
    types: [],
  });
  const found = ts.getPreEmitDiagnostics(program).map(({ file, start = 0, messageText }) => {
    if (!file?.fileName.endsWith('program.mts')) throw new Error(ts.flattenDiagnosticMessageText(messageText, '\n'));
    // The line is counted from the one after the import and the row.
    return file.getLineAndCharacterOfPosition(start).line - 1;
  });
  return [...new Set(found)];
}

describe('the types of an image', () => {
  it.each([[['lib.es2023.d.ts']], [['lib.es2023.d.ts', 'lib.dom.d.ts']]])(
    'let compile what the models take, with %j',
    { timeout: 60_000 },
    async (libraries) => {
      const expected = lines.flatMap(([, isWrong], i) => (isWrong ? [i + 1] : []));
      expect(await wrongLines(libraries)).toEqual(expected);
    },
  );
});

describe('a model that only tensors can be asked with has none', () => {
  const facts = {
    name: 'm',
    version: '1',
    inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 4] }],
    outputs: [{ name: 'y', shape: [-1] }],
    output: { name: 'y', kind: 'number' },
    takesPictures: false,
  } as const;

  it.each<[string, object, unknown]>([
    ['as it is', {}, { kind: 'numbers', shape: [4] }],
    ['of two inputs', { inputs: [facts.inputs[0], facts.inputs[0]] }, undefined],
    ['of integers', { inputs: [{ name: 'x', datatype: 'INT64', shape: [-1, 4] }] }, undefined],
    ['of free sizes', { inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, -1] }] }, undefined],
    ['of any shape', { inputs: [{ name: 'x', datatype: 'FP32' }] }, undefined],
    ['of which nobody says what it answers', { output: undefined }, undefined],
    [
      'of images',
      { inputs: [{ name: 'x', datatype: 'UINT8', shape: [-1, 3, 8, 8] }], takesPictures: true },
      { kind: 'picture' },
    ],
    [
      'of numbers in the shape of images',
      { inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 3, 8, 8] }] },
      { kind: 'numbers', shape: [3, 8, 8] },
    ],
  ])('%s', (_, change, takes) => {
    expect(typedModel({ ...facts, ...change })?.takes).toEqual(takes);
  });

  it('nor columns, where the file takes rows of another width', () => {
    expect([typedColumns(columns, [-1, 4]), typedColumns(columns, [-1, 3])?.length]).toEqual([undefined, 3]);
  });
});

it('a model that is called as something that image.mjs declares or reads gets another name', async () => {
  const names = ['loader-of', 'start-image', 'sessions', 'console'];
  const called = names.map((name) => model(name, [-1, 4], { output: { name: 'y', kind: 'number' } }));
  const { module } = await callsOf(called);
  expect(Array.from(module.matchAll(/export const (\w+)/g), ([, name]) => name)).toEqual([
    'loaderOfModel',
    'startImageModel',
    'sessionsModel',
    'consoleModel',
  ]);
});
