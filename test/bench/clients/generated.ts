/**
 * A client that openapi-typescript generates from the Worker's OpenAPI document compiles, refuses wrong rows, and gets
 * answers.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from '@typescript/typescript6';
import { buildImage, exportModel, train } from '../../../exporter/index.ts';
import { createWorker, type Image } from '../../../worker/create-worker.ts';

const packages = ['openapi-typescript@7.13.0', 'openapi-fetch@0.17.0', 'typescript@5.9.3'];
const folder = resolve('.test', 'clients', 'generated');

const client = `import createClient from 'openapi-fetch';
import type { paths } from './document.ts';

export async function call(ask: (request: Request) => Promise<Response>) {
  const client = createClient<paths>({ baseUrl: 'http://worker', fetch: ask });
  const row = {
    island: 'Torgersen', bill_length_mm: 39.1, bill_depth_mm: 18.7, flipper_length_mm: 181, body_mass_g: 3750, sex: 'male',
  } as const;
  const { data } = await client.POST('/v1/models/penguins:predict', { body: { instances: [row, { ...row, sex: null }] } });
  const labels: readonly ('Adelie' | 'Chinstrap' | 'Gentoo' | null)[] | undefined = data?.predictions.map(({ label }) => label);
  // @ts-expect-error -- no such island
  void (() => client.POST('/v1/models/penguins:predict', { body: { instances: [{ ...row, island: 'Texel' }] } }));
  // @ts-expect-error -- no number
  void (() => client.POST('/v1/models/penguins:predict', { body: { instances: [{ ...row, body_mass_g: true }] } }));
  return labels;
}
`;

/** @throws Error where the client does not compile, or gets a wrong answer */
export async function checkGeneratedClient(): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "type": "module", "private": true }');
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--silent', ...packages], {
    cwd: folder,
    stdio: 'inherit',
  });
  const worker = createWorker(await imageOfPenguins(), { docs: true });
  const ask = async (request: Request): Promise<Response> => worker.fetch(request, {}, context);
  const document = await (await ask(new Request('http://worker/openapi.json'))).text();
  writeFileSync(join(folder, 'document.json'), document);
  const generator = join(folder, 'node_modules', 'openapi-typescript', 'bin', 'cli.js');
  execFileSync('node', [generator, 'document.json', '-o', 'document.ts'], { cwd: folder, stdio: 'ignore' });
  const program = join(folder, 'client.ts');
  writeFileSync(program, client);
  requireTypes(program);
  const { call } = (await import(pathToFileURL(program).href)) as {
    readonly call: (fetch: typeof ask) => Promise<readonly string[] | undefined>;
  };
  const labels = await call(ask);
  if (labels?.join() !== 'Adelie,Adelie') throw new Error(`expected Adelie twice, got ${String(labels)}`);
  console.log('a client of openapi-typescript and openapi-fetch compiles, refuses wrong rows, and calls');
}

const context = { waitUntil: () => undefined, passThroughOnException: () => undefined, props: {} };

async function imageOfPenguins(): Promise<Image> {
  const data = { path: 'test/fixtures/penguins.csv', label: 'species', imputeOthers: 'median' };
  const { checkpoint } = await train({ data, config: { epochs: 20 }, out: join(folder, 'run') });
  const [models, out] = [join(folder, 'models'), join(folder, '.bn-edge')];
  await exportModel({ checkpoint, name: 'penguins', models });
  await buildImage({ models, out });
  const { default: image } = (await import(pathToFileURL(join(out, 'image.mjs')).href)) as { readonly default: Image };
  return image;
}

function requireTypes(program: string): void {
  const found = ts.getPreEmitDiagnostics(
    ts.createProgram([program], {
      strict: true,
      noEmit: true,
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      moduleResolution: ts.ModuleResolutionKind.Bundler,
      allowImportingTsExtensions: true,
      types: [],
      lib: ['lib.es2023.d.ts', 'lib.dom.d.ts'],
    }),
  );
  const messages = found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
  if (messages.length > 0) throw new Error(messages.join('\n'));
}
