/** Weights that are static assets are loaded at a model's first request. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { buildImage } from '../../exporter/edge/build-image.ts';
import type { BuiltImage } from '../../exporter/edge/built.ts';
import { emitImage } from '../../exporter/edge/emit.ts';
import type { ImageManifest } from '../../exporter/edge/runtime/index.ts';
import { createWorker } from '../../worker/create-worker.ts';
import type { Image } from '../../worker/image.ts';
import { mlp } from './fixtures.ts';

let folder: string;
let built: BuiltImage;
const path = (...parts: readonly string[]) => join(folder, ...parts);

/** Three models share this file: weights inside the script must not be mixed up with those outside. */
const file = mlp({ hidden: 40 });
const cards = {
  script: {},
  assets: { weightsIn: 'assets' },
  small: { weightsIn: 'assets', weights: 'int8' },
} as const;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-assets-'));
  for (const [name, card] of Object.entries(cards)) {
    await mkdir(path('models', name), { recursive: true });
    await writeFile(path('models', name, 'model.onnx'), file);
    await writeFile(path('models', name, 'card.json'), JSON.stringify(card));
  }
  built = await buildImage({ models: path('models'), out: path('out'), unoptimized: true });
});

afterAll(() => rm(folder, { recursive: true }));

let copies = 0;

/** Imports a new instance of the image, which has loaded no weights. */
async function freshImage(): Promise<Image> {
  const address = `${pathToFileURL(path('out', 'image.mjs')).href}?${copies++}`;
  return ((await import(address)) as { default: Image }).default;
}

const assetFiles = () => readdir(path('out', 'assets', 'weights'));

/** Returns a binding of static assets that counts its requests. */
function assets(change: (content: Buffer) => Buffer = (content) => content) {
  const asked: string[] = [];
  const fetch = async ({ url }: Request): Promise<Response> => {
    const { pathname } = new URL(url);
    asked.push(pathname);
    const content = await readFile(path('out', 'assets', ...pathname.split('/'))).catch(() => undefined);
    return content ? new Response(new Uint8Array(change(content))) : new Response('', { status: 404 });
  };
  return { asked, env: { ASSETS: { fetch }, LOG_REQUESTS: 'false' } };
}

const pixels = Array.from({ length: 784 }, (_, i) => (i * 37) % 256);
const headers = { 'content-type': 'application/json' };
const body = JSON.stringify({ inputs: [{ name: 'pixels', datatype: 'FP32', shape: [1, 784], data: pixels }] });

async function infer(image: Image, name: string, env: object) {
  const request = new Request(`http://edge/v2/models/${name}/infer`, { method: 'POST', headers, body });
  const response = await createWorker(image).fetch(request, env);
  const answer = (await response.json()) as { error?: string; outputs?: readonly { data: readonly number[] }[] };
  return { status: response.status, error: answer.error, logits: answer.outputs?.[0]?.data };
}

describe('weights among the static assets', () => {
  it('are in files of their own, by their hashes, and not in the script', async () => {
    const bytes = 4 * (784 * 48 + 40 * 48 + 40 * 16);
    expect((await assetFiles()).every((name) => /^[0-9a-f]{64}\.bin$/.test(name))).toBe(true);
    expect(await assetFiles()).toHaveLength(2);
    expect(built.bytes.assets).toBeGreaterThan(0.9 * (bytes + bytes / 4));
    expect(built.bytes.weights).toBe(0);
  });

  it('are read by the first request, once, and answer as from the script', async () => {
    const [image, { asked, env }] = [await freshImage(), assets()];
    const expected = await infer(image, 'script', env);
    expect(asked).toEqual([]);
    const [first, second] = await Promise.all([infer(image, 'assets', env), infer(image, 'assets', env)]);
    expect(asked).toHaveLength(1);
    expect(first).toMatchObject({ status: 200, error: undefined });
    expect(second).toEqual(first);
    first.logits?.forEach((value, i) => {
      expect(Math.abs(value - (expected.logits?.[i] ?? NaN))).toBeLessThan(1e-5);
    });
    const small = await infer(image, 'small', env);
    expect(small.status).toBe(200);
    expect(small.logits).not.toEqual(first.logits);
    expect(await infer(image, 'script', env)).toEqual(expected);
    expect(await infer(image, 'assets', env)).toEqual(first);
    expect(asked).toHaveLength(2);
  });

  it('that are others give one line and no answer, until they are right', async () => {
    const image = await freshImage();
    const { env } = assets((content) => Buffer.from(content).fill(1, 100, 101));
    const { status, error, logits } = await infer(image, 'assets', env);
    expect([status, logits]).toEqual([500, undefined]);
    expect(error).toMatch(/^weights of assets: expected sha256 [0-9a-f]{64} of [0-9a-f]{64}\.bin, got [0-9a-f]{64}$/);
    expect((await infer(image, 'script', env)).status).toBe(200);
    expect((await infer(image, 'assets', assets().env)).status).toBe(200);
  });

  it.each([
    ['no binding', {}, 'no assets'],
    ['no such file', { ASSETS: { fetch: () => Promise.resolve(new Response('', { status: 404 })) } }, 'status 404'],
  ])('without which, by %s, the answer says what wrangler.toml needs', async (_, env, got) => {
    const { status, error } = await infer(await freshImage(), 'assets', { ...env, LOG_REQUESTS: 'false' });
    expect(status).toBe(500);
    const how = String.raw`\[assets\] directory = "\.bn-edge/assets", binding = "ASSETS" in wrangler\.toml`;
    expect(error).toMatch(new RegExp(`^weights of assets: expected .* among the static assets, got ${got} .${how}.$`));
  });

  it('are not there for a session that is asked without them', async () => {
    const { sessions, load } = await freshImage();
    const feeds = { pixels: { dtype: 'float32', shape: [1, 784], data: Float32Array.from(pixels) } } as const;
    expect(() => sessions.get('assets/model')?.run(feeds)).toThrow('expected its weights to be loaded, got none');
    await load?.('assets', async (name) => {
      const content = new Uint8Array(await readFile(path('out', 'assets', 'weights', name)));
      return content.buffer;
    });
    expect(sessions.get('assets/model')?.run(feeds)['logits']?.shape).toEqual([1, 10]);
  });

  it('of more than an asset may have are several files', async () => {
    const stored = new Uint8Array(60 * 2 ** 20).map((_, i) => i + (i >>> 20));
    const manifest = { weights: [[]] } as unknown as ImageManifest;
    const image = { wasm: new Uint8Array(), stored: [stored], manifest };
    const files = await emitImage(image, {}, [], [], { inAssets: [{ path: 'large', sessions: [] }] });
    const parts = Object.entries(files).filter(([name]) => dirname(name) === 'assets/weights');
    expect(parts.map(([, content]) => content.length / 2 ** 20)).toEqual([25, 25, 10]);
    expect(String(files['image.mjs']).match(/sha256:"[0-9a-f]{64}"/g)).toHaveLength(3);
  });
});
