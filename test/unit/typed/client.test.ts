/**
 * The output of `bn-edge client` compiles in every host, refuses what the models refuse, and reports what HTTP reports.
 */
import { build } from 'esbuild';
import { encode } from 'fast-png';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from '@typescript/typescript6';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { clientBegins, clientMark, clientSource, isCallable, taken } from '../../../exporter/typed/client.ts';
import { typedModelsOf } from '../../../exporter/typed/server.ts';
import type { Column } from '../../../training/columns/index.ts';
import { plainPreparation } from '../../../training/pictures/index.ts';
import { createWorker, type Predictor, type WorkerOptions } from '../../../worker/create-worker.ts';
import { imageOf } from '../../worker/images.ts';

const columns: readonly Column[] = [
  { kind: 'categorical', name: 'plan', categories: ['Free', 'Pro'], fill: null },
  { kind: 'numeric', name: 'seats', fill: 3, range: [1, 120] },
];
const image = imageOf(
  { name: 'churn', kind: 'logits', labels: ['no', 'yes'], columns },
  { name: 'price-2', kind: 'number', shape: ['N', 3] },
  { name: 'shades', kind: 'multi-label', shape: ['N', 1, 2, 2], picture: plainPreparation({ rows: 2, columns: 2 }, 1), run: () => ({ y: { dtype: 'float32', shape: [1, 2], data: Float32Array.of(0.75, 0.25) } }) },
  { name: 'tensors' },
); // oxfmt-ignore

const fetchOf = (options: WorkerOptions = {}) => {
  const worker = createWorker(image, { log: false, ...options });
  return async (url: string, init?: RequestInit) => worker.fetch(new Request(url, init));
};

interface Client {
  readonly connect: (
    url?: string,
    options?: object,
  ) => {
    readonly churn: Predictor<object, 'yes' | 'no'>;
    readonly price2: Predictor<ArrayLike<number>, readonly number[]>;
    readonly shades: Predictor<Uint8Array, readonly string[]>;
  };
}

let folder: string;
let source: string;
let client: Client;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-client-'));
  vi.stubGlobal('fetch', fetchOf());
  source = await clientSource(await typedModelsOf('http://worker/', undefined), 'http://worker');
  await writeFile(join(folder, 'client.ts'), source);
  const outfile = join(folder, 'client.mjs');
  await build({ entryPoints: [join(folder, 'client.ts')], outfile, format: 'esm' });
  client = (await import(/* @vite-ignore */ pathToFileURL(outfile).href)) as Client;
});
afterEach(() => {
  vi.unstubAllGlobals();
});
afterAll(() => rm(folder, { recursive: true }));

const uses: readonly [line: string, isWrong: boolean][] = [
  [`models.churn.predict({ plan: 'Free', seats: null })`, false],
  [`models.churn.predictMany([{ plan: 'Free' }], { unknown: 'ignore' })`, false],
  [`models.churn.predict({ plan: 'Team' })`, true],
  [`models.churn.predict({ seats: 3 })`, true],
  [`((await models.churn.predict(row)).label satisfies 'no' | 'yes' | null)`, false],
  [`((await models.churn.predict(row)).value)`, true],
  [`((await models.price2.predict([1, 2, 3])).values satisfies readonly number[] | null)`, false],
  [`((await models.shades.predict(new Uint8Array())).labels satisfies readonly string[] | null)`, false],
  [`((await models.shades.predict(new Blob([]))).labels)`, false],
  [`models.shades.predict('a.png')`, true],
  [`models.tensors`, true],
];

/** Strict settings, as projects have them. */
const strict: ts.CompilerOptions = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noPropertyAccessFromIndexSignature: true,
  erasableSyntaxOnly: true,
  verbatimModuleSyntax: true,
  noUnusedLocals: true,
  noUnusedParameters: true,
  skipLibCheck: true,
  allowImportingTsExtensions: true,
  noEmit: true,
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  typeRoots: [
    join(import.meta.dirname, '../../../node_modules/@types'),
    join(import.meta.dirname, '../../../node_modules'),
  ],
};

describe('a client', () => {
  it.each<[string, Partial<ts.CompilerOptions>]>([
    ['a browser', { lib: ['lib.es2022.d.ts', 'lib.dom.d.ts'], types: [] }],
    ['Node', { lib: ['lib.es2022.d.ts'], types: ['node'] }],
    ['a Worker', { lib: ['lib.es2022.d.ts'], types: ['@cloudflare/workers-types'] }],
  ])('compiles for %s, and refuses what the models do', { timeout: 60_000 }, async (_, options) => {
    const file = join(folder, 'program.ts');
    const own = [
      `import { connect, type ChurnRow } from './client.ts'; const models = connect();`,
      `const row: ChurnRow = { plan: 'Pro' };`,
    ];
    await writeFile(file, [...own, ...uses.map(([line]) => `void ${line};`), 'export {};'].join('\n'));
    const program = ts.createProgram([file], { ...strict, ...options });
    const wrong = ts.getPreEmitDiagnostics(program).map(({ file, start = 0, messageText }) => {
      if (!file?.fileName.endsWith('program.ts')) throw new Error(`${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`);
      return file.getLineAndCharacterOfPosition(start).line - own.length;
    }); // oxfmt-ignore
    expect([...new Set(wrong)]).toEqual(uses.flatMap(([, isWrong], i) => (isWrong ? [i] : [])));
  });

  it.each(['churn', 'price-2', 'shades'])(
    'of %s alone declares nothing that it does not use',
    { timeout: 60_000 },
    async (only) => {
      vi.stubGlobal('fetch', fetchOf());
      const file = join(folder, `${only}.ts`);
      const models = await typedModelsOf('http://worker', undefined);
      await writeFile(file, await clientSource(models.filter(({ name }) => name === only), '')); // oxfmt-ignore
      const program = ts.createProgram([file], { ...strict, lib: ['lib.es2022.d.ts', 'lib.dom.d.ts'], types: [] });
      expect(ts.getPreEmitDiagnostics(program).map(({ messageText }) => messageText)).toEqual([]);
    },
  );

  it('cannot ask for the number of a picture, which has no route', () => {
    const ages = { name: 'ages', version: '1', takes: { kind: 'picture' }, answers: { kind: 'number' } } as const;
    expect([ages, { ...ages, answers: { kind: 'label' } } as const].map(isCallable)).toEqual([false, true]);
  });

  it('gives no model a name that its own code declares', async () => {
    const template = await readFile(join(import.meta.dirname, '../../../exporter/typed/templates/client.ts'), 'utf8');
    const declared = template.matchAll(/^(?:export )?(?:async )?(?:function|const|class|interface|type) (\w+)/gm);
    expect(taken).toEqual(expect.arrayContaining([...declared].map(([, name]) => name)));
  });

  it('says who wrote it, and imports nothing', () => {
    expect(source.startsWith(clientMark)).toBe(true);
    expect(source).toMatch(clientBegins);
    expect(source).not.toMatch(/^import |^\/\/ <\/?/m);
  });

  it('gives the answers of the server it was made from', async () => {
    vi.stubGlobal('fetch', fetchOf());
    const { churn, price2, shades } = client.connect();
    const rows = [{ plan: 'Free', seats: 2 }, { plan: 'Pro', seats: 4000 }, { plan: 'Pro' }];
    const { length } = await churn.predictMany(Array.from({ length: 300 }, () => ({ plan: 'Pro', seats: 1 })));
    const answers = await churn.predictMany(rows);
    expect([length, answers.map(({ label }) => label), answers[1]?.warnings]).toEqual([
      300,
      ['yes', 'yes', null],
      ['column "seats": 4000 is far from the values of training, 1 to 120'],
    ]);
    expect(await churn.predict({ plan: 'Free', seats: 2 })).toEqual(answers[0]);
    expect(await price2.predict(Float32Array.of(1, 0.5, -2))).toEqual({ values: [1, 0.5, -2] });
    const png = encode({ width: 2, height: 2, channels: 1, data: Uint8Array.of(0, 1, 2, 3) });
    expect(await shades.predict(png)).toEqual({ labels: ['0'], probabilities: { 0: 0.75, 1: 0.25 } });
  });

  it.each<[string, () => Promise<unknown>, string, number | undefined]>([
    [
      'an unknown category',
      () => client.connect('http://worker/', { fetch: fetchOf() }).churn.predict({ plan: 'Fre' }),
      'instances[0], column "plan": expected one of "Free", "Pro", got "Fre" (did you mean "Free"?)',
      422,
    ],
    [
      'a number that JSON does not have, and would take for a missing one',
      () => client.connect('http://worker', { fetch: fetchOf() }).churn.predict({ plan: 'Free', seats: NaN }),
      '"seats": expected a number, or null for a missing one, got NaN',
      undefined,
    ],
    [
      'no key',
      () => client.connect('http://worker', { fetch: fetchOf({ apiKey: 'k' }) }).churn.predict({ plan: 'Free' }),
      expect.stringMatching(/key|authorization/i) as string,
      401,
    ],
    [
      'no server',
      () =>
        client
          .connect('http://worker', { fetch: () => Promise.reject(new TypeError('fetch failed')) })
          .churn.predict({ plan: 'Free' }),
      'http://worker: expected an answer, got none',
      undefined,
    ],
    [
      'another server',
      () => client.connect('http://w', { fetch: () => Promise.resolve(new Response('<p>')) }).churn.predict({}),
      'http://w: expected JSON, got another answer',
      200,
    ],
  ])('throws one line for %s', async (_, call, message, status) => {
    await expect(call()).rejects.toMatchObject({ name: 'PredictError', message, status });
  });

  it('of a server that asks for a key is made with it, and sends one', async () => {
    const server = fetchOf({ apiKey: 'k' });
    vi.stubGlobal('fetch', server);
    await expect(typedModelsOf('http://worker', undefined)).rejects.toThrow(
      "http://worker/v1/models: expected the server's key; --key gives it",
    );
    expect((await typedModelsOf('http://worker', 'k')).map(({ name }) => name)).toEqual(['churn', 'price-2', 'shades']);
    const { label } = await client
      .connect('http://worker', { fetch: server, key: 'k' })
      .churn.predict({ plan: 'Free', seats: 1 });
    expect(label).toBe('yes');
  });
});
