import { encode } from 'fast-png';
import { describe, expect, it } from 'vitest';
import { decodePicture } from '../../training/pictures/index.ts';
import { call, pixels, post, type Answer } from './client.ts';
import { damagedPictures, jpegs, seven } from './pictures.ts';

const classify = '/v2/models/digits/classify';

interface Prediction {
  readonly label: string;
  readonly probability: number;
  readonly top: readonly { readonly label: string; readonly index: number; readonly probability: number }[];
  readonly image?: string;
}

function send(path: string, body: Uint8Array, type = 'application/x-www-form-urlencoded'): Promise<Answer> {
  return call(path, { method: 'POST', body, headers: { 'content-type': type } });
}

function predictionsOf({ body }: Answer): readonly Prediction[] {
  return (body as { predictions: Prediction[] }).predictions;
}

/** Returns the pixels that the model received for the first prediction, `[28, 28]`. */
async function seenBy(answer: Answer): Promise<number[]> {
  const [, base64 = ''] = predictionsOf(answer)[0]?.image?.split(',') ?? [];
  const { decode } = await import('fast-png');
  return Array.from(decode(Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))).data);
}

describe('classify', () => {
  it('answers a picture with labels and probabilities, the most probable first', async () => {
    const answer = await send(classify, seven({ format: 'grey' }));
    expect(answer.status).toBe(200);
    const [prediction] = predictionsOf(answer);
    expect(prediction?.top).toHaveLength(3);
    expect(prediction?.top[0]).toMatchObject({ label: prediction?.label, probability: prediction?.probability });
    const probabilities = prediction?.top.map(({ probability }) => probability) ?? [];
    expect(probabilities).toEqual(probabilities.toSorted((a, b) => b - a));
  });

  it('answers as many classes as asked for, and their probabilities add up to 1', async () => {
    const [prediction] = predictionsOf(await send(`${classify}?top_k=10`, seven({ format: 'grey' })));
    expect(prediction?.top.map(({ index }) => index).toSorted()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const total = prediction?.top.reduce((sum, { probability }) => sum + probability, 0) ?? NaN;
    expect(Math.abs(total - 1)).toBeLessThanOrEqual(1e-6);
  });

  it.each([
    { format: 'grey', inverted: true },
    { format: 'grey16' },
    { format: 'bits' },
    { format: 'rgb', inverted: true },
    { format: 'rgba', inverted: true },
    { format: 'palette', inverted: true },
    { format: 'transparent' },
    { format: 'transparent', inverted: true },
    { format: 'key' },
    { format: 'key', inverted: true },
    { format: 'bit key' },
    { format: 'bit key', inverted: true },
    { format: 'grey', scale: 9 },
  ] as const)('sees the same drawing in %o', async (look) => {
    const plain = await seenBy(
      await send(`${classify}?image=true`, seven({ format: 'grey', scale: look.format === 'grey' ? 3 : 1 })),
    );
    const other = await seenBy(
      await send(`${classify}?image=true`, seven({ scale: look.format === 'grey' ? 3 : 1, ...look })),
    );
    const difference = Math.max(...plain.map((value, i) => Math.abs(value - (other[i] ?? NaN))));
    expect(difference).toBeLessThanOrEqual(48);
    expect(Math.max(...other)).toBe(255);
  });

  it.each(Object.entries(jpegs))('sees the same drawing in a %s JPEG', async (_, base64) => {
    const plain = await seenBy(await send(`${classify}?image=true`, seven({ format: 'grey' })));
    const file = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
    const other = await seenBy(await send(`${classify}?image=true`, file));
    const meanDifference = plain.reduce((sum, value, i) => sum + Math.abs(value - (other[i] ?? NaN)), 0) / plain.length;
    expect(meanDifference).toBeLessThanOrEqual(1);
  });

  it('takes raw pixels of the size that the model takes', async () => {
    const input = pixels(2);
    const raw = await send(classify, Uint8Array.from(input.data), 'application/octet-stream');
    const json = await post(classify, { inputs: [input] });
    expect(predictionsOf(raw)).toEqual(predictionsOf(json));
    expect(predictionsOf(raw)).toHaveLength(2);
  });

  it('takes the same options in JSON', async () => {
    const parameters = { statistics: 'batch', top_k: 1, image: true };
    const { body } = await post(classify, { id: 'seven', parameters, inputs: [pixels(2)] });
    expect(body).toMatchObject({
      id: 'seven',
      statistics: 'batch',
      note: expect.stringContaining('these 2 samples') as unknown,
      predictions: [{ top: [{}], image: expect.stringMatching(/^data:image\/png;base64,/) as unknown }, {}],
    });
  });

  it('resizes a colour picture as a whole for a model with three channels', async () => {
    const data = Uint8Array.from({ length: 8 * 12 * 3 }, (_, i) => [10, 20, 70][i % 3] ?? 0);
    const answer = await send('/v2/models/photo/classify', encode({ width: 12, height: 8, channels: 3, data }));
    expect(predictionsOf(answer)[0]?.top).toEqual([
      { label: '2', index: 2, probability: 0.7 },
      { label: '1', index: 1, probability: 0.2 },
      { label: '0', index: 0, probability: 0.1 },
    ]);
  });

  it('answers a picture of one colour as an empty one', async () => {
    const blank = encode({ width: 50, height: 40, channels: 1, data: new Uint8Array(2000).fill(255) });
    const seen = await seenBy(await send(`${classify}?image=true`, blank));
    expect(seen).toEqual(new Array(784).fill(0));
  });

  it('inflates a larger PNG in pieces', () => {
    const noise = Uint8Array.from({ length: 200 * 200 * 3 }, (_, i) => (i * i * 2654435761) >>> 24);
    const file = encode({ width: 200, height: 200, channels: 3, data: noise });
    expect(file.byteLength).toBeGreaterThan(32_768);
    expect(decodePicture(file).data).toEqual(noise);
  });

  it.each(damagedPictures)('refuses $name with $status', async ({ bytes, type, status, error }) => {
    expect(await send(classify, bytes, type)).toMatchObject({ status, body: { error } });
  });

  it.each([
    ['top_k=0', 'top_k: expected an integer from 1 to 1000, got 0'],
    ['top_k=many', 'top_k: expected an integer from 1 to 1000, got a string'],
    ['image=1', 'image: expected true or false, got 1'],
    ['statistics=none', 'statistics: expected "running" or "batch", got a string'],
  ])('refuses the option %s', async (query, error) => {
    expect(await send(`${classify}?${query}`, seven({ format: 'grey' }))).toMatchObject({
      status: 400,
      body: { error },
    });
  });

  it('refuses pictures for a model that takes none', async () => {
    const answer = await send('/v2/models/arithmetic/classify', seven({ format: 'grey' }));
    expect(answer).toMatchObject({
      status: 400,
      body: {
        error: 'picture: expected a model with one input of pictures, arithmetic has [-1] and [-1]',
      },
    });
  });
});
