/**
 * A model whose file states no shape of its input answers requests with any number of dimensions, from `add` through
 * the image to HTTP.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildImage } from '../../exporter/edge/build-image.ts';
import { addModel } from '../../exporter/model/add.ts';
import { createWorker, type Image, type WorkerHandler } from '../../worker/create-worker.ts';
import { shapeless } from '../edge/fixtures.ts';
import { ask, jsonRequest } from '../worker/images.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-any-shape-'));
  await writeFile(join(folder, 'relu.onnx'), shapeless());
  await addModel({ file: join(folder, 'relu.onnx'), models: join(folder, 'models') });
});

afterAll(() => rm(folder, { recursive: true }));

it('has no shape in its card', async () => {
  const card = JSON.parse(await readFile(join(folder, 'models/relu/card.json'), 'utf8')) as object;
  expect(card).toMatchObject({
    inputs: [{ name: 'x', datatype: 'FP32' }],
    outputs: [{ name: 'y', datatype: 'FP32' }],
  });
  expect(JSON.stringify(card)).not.toContain('"shape"');
});

describe.each(['specialised', 'stock'])('on the %s runtime', (kind) => {
  let worker: WorkerHandler;

  beforeAll(async () => {
    const out = join(folder, kind);
    await buildImage({ models: join(folder, 'models'), out, stock: kind === 'stock', unoptimized: true });
    const { default: image } = (await import(pathToFileURL(join(out, 'image.mjs')).href)) as { default: Image };
    worker = createWorker(image, { limits: { batch: 8 } });
  });

  const infer = (shape: readonly number[], data: readonly unknown[], name = 'x') =>
    ask(worker, '/v2/models/relu/infer', jsonRequest({ inputs: [{ name, datatype: 'FP32', shape, data }] }));

  it('tells a dimension of any size in its metadata, and nothing that the protocol does not know', async () => {
    const { body } = await ask(worker, '/v2/models/relu');
    expect(body).toMatchObject({ inputs: [{ shape: [-1] }], outputs: [{ shape: [-1] }] });
    expect(JSON.stringify(body)).not.toContain('anyShape');
  });

  it.each([
    [[], [-1], [0]],
    [[1], [2], [2]],
    [[3], [-1, 0, 2], [0, 0, 2]],
    [
      [2, 2],
      [-1, 0, 2, 3],
      [0, 0, 2, 3],
    ],
    [
      [1, 2, 2],
      [
        [
          [-1, 1],
          [2, -2],
        ],
      ],
      [0, 1, 2, 0],
    ],
    [
      [1, 1, 1, 1, 1, 2],
      [1, -1],
      [1, 0],
    ],
  ])('answers a tensor of the shape %j', async (shape, data, expected) => {
    const { status, body } = await infer(shape, data);
    expect([status, body]).toMatchObject([200, { outputs: [{ name: 'y', datatype: 'FP32', shape, data: expected }] }]);
  });

  it.each([
    [[0], [], 400, 'tensor x: expected sizes of at least 1, got [0]'],
    [[2, -1], [1, 2], 400, 'tensor x: expected sizes of at least 1, got [2, -1]'],
    [[2, 2], [1, 2, 3], 400, 'tensor x: expected 4 values for shape [2, 2], got 3'],
    [[9, 1], [1, 2, 3, 4, 5, 6, 7, 8, 9], 413, 'tensor x: expected a batch of at most 8, got 9'],
  ])('refuses %j of %j with %i', async (shape, data, status, error) => {
    const answer = await infer(shape, data);
    expect([answer.status, answer.body]).toEqual([status, { error }]);
  });

  it('refuses bytes without JSON, of which no shape is known', async () => {
    const headers = { 'inference-header-content-length': '0' };
    const init = { method: 'POST', body: new Uint8Array(8), headers };
    expect(await ask(worker, '/v2/models/relu/infer', init)).toMatchObject({
      status: 400,
      body: { error: expect.stringContaining('has not one input of known shape') as string },
    });
  });

  it('answers instances of any shape', async () => {
    const { status, body } = await ask(worker, '/v1/models/relu:predict', jsonRequest({ instances: [[-1, 2]] }));
    expect([status, body]).toMatchObject([200, { predictions: [{ values: [0, 2] }] }]);
  });
});
