/** Pictures for models that say how their training pictures were prepared: each model here answers what it is given. */
import { encode } from 'fast-png';
import { describe, expect, it } from 'vitest';
import { type PicturePreparation, plainPreparation } from '../../training/pictures/index.ts';
import { createWorker, type Session } from '../../worker/create-worker.ts';
import { ask, imageOf } from './images.ts';

/** Two rows of four grey pixels, and of four coloured ones with alpha. */
const grey = encode({ width: 4, height: 2, channels: 1, data: Uint8Array.of(0, 51, 102, 153, 204, 255, 0, 51) });
const clear = encode({
  width: 4,
  height: 2,
  channels: 4,
  data: Uint8Array.from(Array.from({ length: 8 }, (_, i) => [255, 51, 0, i % 2 === 0 ? 255 : 0]).flat()),
});

/** From `[N, C, H, W]` to `[N, C·H·W]`. */
const flatten: Session['run'] = ({ x }) => {
  const { data, shape } = x ?? { data: new Float32Array(), shape: [] };
  const [batch = 0, ...sizes] = shape;
  const values = Float32Array.from(data as ArrayLike<number>);
  return { y: { dtype: 'float32', shape: [batch, sizes.reduce((a, b) => a * b, 1)], data: values } };
};

interface Look extends Partial<PicturePreparation> {
  readonly unsaid?: boolean;
}

async function classify(
  bytes: Uint8Array,
  rows: number,
  columns: number,
  { unsaid, ...look }: Look,
  type = 'image/png',
) {
  const channels = look.channels ?? 1;
  const picture = { ...plainPreparation({ rows, columns }, channels), ...look };
  const model = { name: 'm', shape: ['N', channels, rows, columns], kind: 'probabilities', run: flatten } as const;
  const worker = createWorker(imageOf({ ...model, ...(!unsaid && { picture }) }));
  const path = '/v2/models/m/classify?top_k=1000&image=true';
  return ask(worker, path, { method: 'POST', body: bytes, headers: { 'content-type': type } });
}

/** What the model was given. */
async function given(...request: Parameters<typeof classify>): Promise<number[]> {
  const { status, body } = await classify(...request);
  expect(status).toBe(200);
  const [{ top }] = (body as { predictions: [{ top: { index: number; probability: number }[] }] }).predictions;
  return top.toSorted((a, b) => a.index - b.index).map(({ probability }) => probability);
}

describe('a picture', () => {
  it.each<[string, Uint8Array, number, number, Look, number[]]>([
    ['whole, for a model that does not say', grey, 1, 4, { unsaid: true }, [102, 153, 51, 102]],
    ['whole', grey, 1, 4, {}, [102, 153, 51, 102]],
    ['as it is', grey, 2, 4, {}, [0, 51, 102, 153, 204, 255, 0, 51]],
    ['its middle', grey, 2, 2, { fit: 'cover' }, [51, 102, 255, 0]],
    [
      'on a background',
      grey,
      4,
      4,
      { fit: 'contain', background: '#070707' },
      [7, 7, 7, 7, 0, 51, 102, 153, 204, 255, 0, 51, 7, 7, 7, 7],
    ],
    ['in grey', clear, 2, 4, {}, [106, 255, 106, 255, 106, 255, 106, 255]],
    ['on blue', clear, 1, 4, { channels: 3, background: '#0000ff' }, [255, 0, 255, 0, 51, 0, 51, 0, 0, 255, 0, 255]],
    ['from 0 to 1', grey, 2, 4, { values: [0, 1] }, [0, 0.2, 0.4, 0.6, 0.8, 1, 0, 0.2]],
    ['from -1 to 1', grey, 2, 4, { values: [-1, 1] }, [-1, -0.6, -0.2, 0.2, 0.6, 1, -1, -0.6]],
  ])('is given to the model %s', async (_, bytes, rows, columns, look, expected) => {
    const got = await given(bytes, rows, columns, look);
    expect(got).toHaveLength(expected.length);
    expected.forEach((value, i) => {
      expect(got[i]).toBeCloseTo(value, 6);
    });
  });

  it('of raw bytes is brought to the same numbers', async () => {
    const bytes = Uint8Array.of(0, 51, 102, 255);
    expect(await given(bytes, 2, 2, { values: [0, 1] }, 'application/octet-stream')).toEqual([0, 0.2, 0.4, 1]);
    expect(await given(bytes, 2, 2, {}, 'application/octet-stream')).toEqual([0, 51, 102, 255]);
  });

  it('is shown as it was given, whatever its numbers', async () => {
    const urls = await Promise.all(
      ([undefined, [0, 1], [-1, 1]] as const).map(async (values) => {
        const { body } = await classify(grey, 2, 4, values ? { values } : {});
        return (body as { predictions: [{ image: string }] }).predictions[0].image;
      }),
    );
    expect(urls[0]).toMatch(/^data:image\/png;base64,/);
    expect(new Set(urls).size).toBe(1);
  });

  it.each(['image/png', 'application/octet-stream'])('is refused as %s by a model of other numbers', async (type) => {
    const { status, body } = await classify(
      type === 'image/png' ? grey : new Uint8Array(8),
      2,
      4,
      { values: null },
      type,
    );
    expect([status, body]).toEqual([
      400,
      {
        error:
          'picture: expected a model that was trained on pictures, or on arrays of bytes or of numbers from 0 to 1; m takes its numbers as tensors only',
      },
    ]);
  });
});
