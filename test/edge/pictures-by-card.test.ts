/**
 * The card of a model from another tool describes how pictures become its input, and the Worker prepares them as the
 * model's author would.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encode } from 'fast-png';
import { afterAll, describe, expect, it } from 'vitest';

import { makeImage } from '../../exporter/edge/image.ts';
import { addModel } from '../../exporter/model/add.ts';
import { switchName } from '../../exporter/served/switchable.ts';
import { parseCard } from '../../exporter/store/card.ts';
import { readModels } from '../../exporter/store/registry.ts';
import { createWorker } from '../../worker/create-worker.ts';
import { ingredientsOf, startImage } from './subjects.ts';

const folder = mkdtempSync(join(tmpdir(), 'bn-edge-pictures-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

interface Predictions {
  readonly predictions: readonly {
    readonly top: readonly { readonly index: number; readonly probability: number }[];
  }[];
}

const probabilitiesOf = (body: unknown): readonly number[] =>
  ((body as Predictions).predictions[0]?.top ?? [])
    .toSorted((a, b) => a.index - b.index)
    .map(({ probability }) => probability);

/** Caches the images by model: a card does not change them. */
const images: Record<string, ReturnType<typeof startImage>> = {};

const imageOf = async (name: string, file: Uint8Array) =>
  startImage(await makeImage(await ingredientsOf({ [`${name}/model`]: file })));

async function servedWith(name: string, picture: unknown) {
  const models = join(folder, `${name}-${String(Math.random())}`);
  await addModel({ file: `test/fixtures/exporters/${name}/model.onnx`, name, models });
  const path = join(models, name, 'card.json');
  const card = JSON.parse(readFileSync(path, 'utf8')) as { inputs: object[] };
  Object.assign(card.inputs[0] ?? {}, picture === undefined ? {} : { picture });
  writeFileSync(path, JSON.stringify(card));
  const [input] = parseCard(path, readFileSync(path)).inputs ?? [];
  const { models: read, broken } = readModels(models);
  const [model] = read;
  if (!model) return { broken, input };
  const image = await (images[name] ??= imageOf(name, model.files.model));
  const worker = createWorker({ models: [model.about], sessions: image.runtime.sessionsOf(image), switchName });
  const ask = async (body: Uint8Array<ArrayBuffer> | string, type: string) => {
    const url = `http://worker/v2/models/${name}/classify?top_k=100`;
    const init = { method: 'POST', body, headers: { 'content-type': type } };
    const answer = await worker.fetch(new Request(url, init), { LOG_REQUESTS: false });
    return { status: answer.status, body: await answer.json() };
  };
  return { broken, input, ask };
}

/** Makes a photo of any size, and returns the same photo as pixels. */
function photo(rows: number, columns: number) {
  const data = Uint8Array.from({ length: rows * columns * 3 }, (_, i) => Math.imul(i + 5, 2654435761) >>> 24);
  return { data, png: new Uint8Array(encode({ width: columns, height: rows, channels: 3, data })) };
}

const imagenet = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

/** Converts the red, green and blue bytes of a pixel to the numbers of its channels. */
type Numbers = (pixel: readonly number[]) => readonly number[];

describe('a picture for a model from elsewhere', () => {
  const cases: readonly (readonly [name: string, picture: unknown, numbers: Numbers])[] = [
    ['keras', '[-1,1]', (pixel) => pixel.map((byte) => byte / 127.5 - 1)],
    [
      'keras',
      { preset: 'imagenet', resize: 8 },
      (pixel) => pixel.map((byte, i) => (byte / 255 - (imagenet.mean[i] ?? NaN)) / (imagenet.std[i] ?? NaN)),
    ],
    [
      'keras',
      { scale: 1, mean: [103.939, 116.779, 123.68], std: 64, channels: 'BGR', layout: 'NHWC' },
      ([red = 0, green = 0, blue = 0]) => [(blue - 103.939) / 64, (green - 116.779) / 64, (red - 123.68) / 64],
    ],
  ];
  it.each(cases)(
    'is answered as its numbers are: %s, %j',
    async (name, picture, numbers) => {
      const { ask, input } = await servedWith(name, picture);
      if (!ask || !input) throw new Error('internal: expected a model');
      const [, rows = 0, columns = 0] = input.shape ?? [];
      const { data, png } = photo(rows, columns);
      const values = Array.from({ length: rows * columns }, (_, i) =>
        numbers([...data.subarray(3 * i, 3 * i + 3)]),
      ).flat();
      const tensor = { name: input.name, datatype: 'FP32', shape: [1, rows, columns, 3], data: values };
      const [asPicture, asTensor] = [
        await ask(png, 'image/png'),
        await ask(JSON.stringify({ inputs: [tensor] }), 'application/json'),
      ];
      expect([asPicture.status, asTensor.status]).toEqual([200, 200]);
      const [got, expected] = [probabilitiesOf(asPicture.body), probabilitiesOf(asTensor.body)];
      expect(expected.length).toBeGreaterThan(2);
      got.forEach((probability, i) => {
        expect(Math.abs(probability - (expected[i] ?? NaN))).toBeLessThan(1e-5);
      });
      // Other numbers give other answers.
      expect(Math.max(...expected)).toBeLessThan(1);
    },
    120_000,
  );

  it('is refused in one line by the key, where nobody says how', async () => {
    const { ask } = await servedWith('keras', undefined);
    const { status, body } = (await ask?.(photo(8, 8).png, 'image/png')) ?? {};
    expect(status).toBe(400);
    expect(body).toEqual({
      error: expect.stringMatching(
        /^picture: .* set "picture" of the input "keras_tensor\w*" to .* in models\/keras\/card\.json and build again$/,
      ) as string,
    });
  }, 120_000);

  it('has no image where the card contradicts the file', async () => {
    const { broken } = await servedWith('keras', { preset: 'raw', layout: 'NCHW' });
    expect(broken).toHaveLength(1);
    expect(broken[0]?.error).toContain('card.json: inputs[0].picture.layout: expected NHWC, as the file takes');
  });
});
