/**
 * One image gives the bits of ONNX Runtime Web in every host: workerd, as Wrangler bundles for it, the oldest Node on
 * this machine, and a browser, as Vite bundles for it.
 */

import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

import { build as bundle } from 'esbuild';
import * as ort from 'onnxruntime-web/wasm';
import { build, preview } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { buildImage } from '../../exporter/edge/build-image.ts';
import { identity } from '../bundle/fixtures.ts';
import { serveBundle } from '../bundle/workerd.ts';
import { createWorker, type Image } from '../../worker/create-worker.ts';
import { executablePath, launch, visit } from '../page/browser.ts';
import { cnn, table } from './fixtures.ts';

const run = promisify(execFile);

/** Every host runs this program: it runs all sessions, and prints inputs and outputs in hexadecimal digits. */
const program = `
  const [rows, arrays] = [3, {
    float16: Uint16Array, float32: Float32Array, float64: Float64Array, bool: Uint8Array,
    uint8: Uint8Array, int64: BigInt64Array,
  }];
  export function feedsOf({ inputs }) {
    return Object.fromEntries(inputs.map(({ name, dtype, shape: free }) => {
      const shape = free.map((size) => (size > 0 ? size : rows));
      const data = new arrays[dtype](shape.reduce((a, b) => a * b, 1));
      for (let i = 0; i < data.length; i++) data[i] = fill(dtype, i);
      return [name, { dtype, shape, data }];
    }));
  }
  const fill = (dtype, i) => {
    if (dtype === 'int64') return BigInt(i) - (1n << 40n);
    if (dtype === 'float16') return 0x3c00 + i;
    return dtype === 'bool' ? i % 2 : ((i * 37) % 256) / (dtype.startsWith('float') ? 7 : 1);
  };
  export const hex = ({ buffer, byteOffset, byteLength }) =>
    Array.from(new Uint8Array(buffer, byteOffset, byteLength), (byte) => byte.toString(16).padStart(2, '0')).join('');
  export function answers({ sessions }) {
    return Object.fromEntries([...sessions].map(([name, session]) => {
      const outputs = Object.entries(session.run(feedsOf(session)));
      return [name, Object.fromEntries(outputs.map(([output, { data }]) => [output, hex(data)]))];
    }));
  }
`;

/** Holds outputs by session, as `answers` returns them, and the results of the calls. */
interface Answers {
  readonly [session: string]: Readonly<Record<string, string>> | readonly unknown[];
  readonly called: readonly unknown[];
}

interface Fed {
  readonly dtype: ort.Tensor.Type;
  readonly shape: readonly number[];
  readonly data: ort.Tensor.DataType;
}

/** The exports of the program that need no image. */
interface Program {
  readonly feedsOf: (session: { readonly inputs: readonly object[] }) => Readonly<Record<string, Fed>>;
  readonly hex: (data: ArrayBufferView) => string;
}

/** The models as functions: one takes rows of numbers, the other pictures. */
const called = `
  import { small, table } from './image/image.mjs';
  const pixels = Uint8ClampedArray.from({ length: 4 * 40 * 30 }, (_, i) => (i * 7) % 256);
  const row = (n) => Array.from({ length: 2 }, (_, i) => (n + i) / 7);
  export const called = [
    await small.predict({ data: pixels, width: 40, height: 30 }),
    ...(await table.predictMany([row(0), row(1)])),
    await table.predict([]).catch(({ name, message }) => name + ': ' + message),
  ];
`;

const say = 'export const text = JSON.stringify({ ...answers(image), called });';
const sources = {
  'answers.mjs': program,
  'called.mjs': called,
  'said.mjs': `import { answers } from './answers.mjs'; import image from './image/image.mjs'; import { called } from './called.mjs'; ${say}`,
  'node.mjs': `import { text } from './said.mjs'; console.log(text);`,
  'index.mjs': `import { text } from './said.mjs'; export default { fetch: () => new Response(text) };`,
  'asked.mjs': `
    import { createWorker } from './worker.mjs';
    import image from './image/image.mjs';
    const inputs = image.sessions.get('types/model').inputs.map(({ name }) => {
      const datatype = { bool: 'BOOL', uint8: 'UINT8', int64: 'INT64', fp16: 'FP16', fp64: 'FP64' }[name];
      return { name, datatype, shape: [2], data: name === 'bool' ? [true, false] : name === 'fp16' ? [0.1, -2] : [1, 2] };
    });
    const init = {
      method: 'POST', body: JSON.stringify({ inputs }), headers: { 'content-type': 'application/json' },
    };
    const request = new Request('http://worker/v2/models/types/infer', init);
    console.log(await (await createWorker(image).fetch(request, { LOG_REQUESTS: false })).text());`,
  'page.mjs': `import { text } from './said.mjs'; document.body.textContent = text;`,
  'index.html':
    '<!doctype html><title>image</title><link rel="icon" href="data:"><body><script type="module" src="./page.mjs"></script>',
  'wrangler.toml': 'name = "image"\nmain = "index.mjs"\ncompatibility_date = "2026-10-23"\n',
};

const models = { small: cnn({ channels: [2, 4], hidden: 8 }), table: table(), types: identity() };

const folders: Record<'specialised' | 'stock', string> = { specialised: '', stock: '' };
let folder: string;
let expected: Answers;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-hosts-'));
  for (const [name, bytes] of Object.entries(models)) {
    await mkdir(join(folder, 'models', name), { recursive: true });
    await writeFile(join(folder, 'models', name, 'model.onnx'), bytes);
  }
  const input = { name: 'pixels', datatype: 'FP32', shape: [-1, 1, 28, 28], picture: 'raw' };
  await writeFile(join(folder, 'models', 'small', 'card.json'), JSON.stringify({ inputs: [input] }));
  folders.specialised = await setUp('specialised');
  folders.stock = await setUp('stock');
  expected = await stockAnswers();
});

afterAll(() => rm(folder, { recursive: true }));

/** Makes a folder with an image and the programs that use it. */
async function setUp(kind: 'specialised' | 'stock'): Promise<string> {
  const out = join(folder, kind, 'image');
  await buildImage({ models: join(folder, 'models'), out, stock: kind === 'stock', unoptimized: true });
  for (const [name, text] of Object.entries(sources)) await writeFile(join(folder, kind, name), text);
  return join(folder, kind);
}

/** Returns the outputs of ONNX Runtime Web itself. */
async function stockAnswers(): Promise<Answers> {
  const { feedsOf, hex } = (await import(pathToFileURL(join(folders.stock, 'answers.mjs')).href)) as Program;
  ort.env.wasm.numThreads = 1;
  const answers: Record<string, Record<string, string>> = {};
  for (const [name, bytes] of Object.entries(models)) {
    const session = await ort.InferenceSession.create(bytes);
    const inputs = session.inputMetadata.flatMap((input) =>
      input.isTensor ? [{ name: input.name, dtype: input.type, shape: input.shape }] : [],
    );
    const feeds = Object.entries(feedsOf({ inputs })).map(
      ([input, { dtype, data, shape }]) => [input, new ort.Tensor(dtype, data, shape)] as const,
    );
    const outputs = Object.entries(await session.run(Object.fromEntries(feeds)));
    answers[`${name}/model`] = Object.fromEntries(
      outputs.map(([output, { data }]) => [output, hex(data as unknown as ArrayBufferView)]),
    );
    await session.release();
  }
  return { ...answers, called: await calledHere() };
}

/** Returns the results of the calls in this process, which agree with those over HTTP. */
async function calledHere(): Promise<readonly unknown[]> {
  const of = (name: string) => pathToFileURL(join(folders.stock, name)).href;
  const { called } = (await import(of('called.mjs'))) as { readonly called: readonly unknown[] };
  const { default: image } = (await import(of('image/image.mjs'))) as { readonly default: Image };
  const [digit, first, second, refusal] = called;
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ instances: [0, 1].map((n) => [n / 7, (n + 1) / 7]) });
  const request = new Request('http://worker/v1/models/table:predict', { method: 'POST', body, headers });
  const answer = await createWorker(image, { log: false }).fetch(request);
  expect(await answer.json()).toEqual({ predictions: [first, second] });
  expect(digit).toMatchObject({ label: expect.stringMatching(/^\d$/) as string });
  expect(refusal).toBe('PredictError: sample: expected 2 numbers, got 0');
  return called;
}

/** Finds the oldest supported Node on this machine, apart from the one that npm has installed. */
function oldestNode(): { readonly path: string; readonly version: string } | undefined {
  const paths = [...new Set((process.env['PATH'] ?? '').split(delimiter))]
    .filter((path) => !path.includes('node_modules'))
    .map((path) => join(path, 'node'))
    .filter((path) => existsSync(path));
  const found = paths.map((path) => ({
    path,
    version: execFileSync(path, ['--version'], { encoding: 'utf8' }).trim(),
  }));
  const major = ({ version }: { readonly version: string }) => Number(version.slice(1).split('.')[0]);
  return found.filter((node) => major(node) >= 20).sort((a, b) => major(a) - major(b))[0];
}

const node = oldestNode();

describe.each(['specialised', 'stock'] as const)(
  'an image on the %s runtime gives the bits of ONNX Runtime Web',
  (kind) => {
    it('in workerd, as Wrangler bundles it', async () => {
      const wrangler = join(import.meta.dirname, '../../node_modules/wrangler/bin/wrangler.js');
      const outdir = await mkdtemp(join(folder, 'bundle-'));
      await run(process.execPath, [wrangler, 'deploy', '--dry-run', '--outdir', outdir], { cwd: folders[kind] });
      const server = await serveBundle(outdir);
      try {
        expect(await (await fetch(server.url)).json()).toEqual(expected);
      } finally {
        await server.stop();
      }
    });

    it.skipIf(!node)(`in Node ${node?.version ?? 'from 20 on, which is not here'}`, async () => {
      const { stdout } = await run(node?.path ?? '', [join(folders[kind], 'node.mjs')]);
      expect(JSON.parse(stdout)).toEqual(expected);
    });

    it.skipIf(!node)(`under createWorker in Node ${node?.version ?? 'from 20 on'}, halfs as numbers`, async () => {
      const worker = join(import.meta.dirname, '../../worker/create-worker.ts');
      const outfile = join(folders[kind], 'worker.mjs');
      await bundle({ entryPoints: [worker], outfile, bundle: true, format: 'esm', platform: 'node' });
      const { stdout } = await run(node?.path ?? '', [join(folders[kind], 'asked.mjs')]);
      const { outputs } = JSON.parse(stdout) as { readonly outputs: readonly object[] };
      // This is the nearest half to 0.1.
      expect(outputs).toContainEqual({ name: 'fp16_out', datatype: 'FP16', shape: [2], data: [0.0999755859375, -2] });
    });

    it.skipIf(executablePath === undefined)('in a browser, as Vite bundles it', async () => {
      const outDir = join(folders[kind], 'site');
      const config = { root: folders[kind], configFile: false, logLevel: 'error', build: { outDir } } as const;
      await build(config);
      const server = await preview({ ...config, preview: { port: 0, host: '127.0.0.1' } });
      const browser = await launch();
      try {
        const { page, complaints } = await visit(browser, server.resolvedUrls?.local[0] ?? '');
        await page.waitForFunction(`document.body.textContent.includes('{')`);
        expect(complaints).toEqual([]);
        expect(JSON.parse((await page.textContent('body')) ?? '')).toEqual(expected);
      } finally {
        await browser.close();
        await server.close();
      }
    });
  },
);
