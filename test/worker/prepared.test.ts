/** Pictures are prepared as a model's card describes the training pictures. Each model here returns its input. */
import { decode, encode } from 'fast-png';
import { describe, expect, it } from 'vitest';
import { type PicturePreparation, pictureShape, plainPreparation } from '../../training/pictures/index.ts';
import { createWorker, type Session } from '../../worker/create-worker.ts';
import { ask, imageOf } from './images.ts';

/** Two rows of four grey pixels, and of four coloured pixels with alpha. */
const grey = encode({ width: 4, height: 2, channels: 1, data: Uint8Array.of(0, 51, 102, 153, 204, 255, 0, 51) });
const clear = encode({
  width: 4,
  height: 2,
  channels: 4,
  data: Uint8Array.from(Array.from({ length: 8 }, (_, i) => [255, 51, 0, i % 2 === 0 ? 255 : 0]).flat()),
});

const twoRows = [0, 51, 102, 153, 204, 255, 0, 51];
const colour = { channels: 3, fit: 'cover', background: '#ff3300' } as const;
const numbers = { scale: 0.2, mean: [45, 0, 10], std: [2, 0.2, 5] };
const deep = encode({ width: 2, height: 1, channels: 1, depth: 16, data: Uint16Array.of(65535, 51 * 257) });

/** Flattens `[N, C, H, W]` to `[N, C·H·W]`. */
const flatten: Session['run'] = ({ x }) => {
  const { data, shape } = x ?? { data: new Float32Array(), shape: [] };
  const [batch = 0, ...sizes] = shape;
  const values = Float32Array.from(data as ArrayLike<number>);
  return { y: { dtype: 'float32', shape: [batch, sizes.reduce((a, b) => a * b, 1)], data: values } };
};

interface Look extends Partial<PicturePreparation> {
  /** The shape of the model's input, where it differs from that of the pictures. */
  readonly shape?: readonly (number | string)[];
  readonly unsaid?: boolean;
}

async function classify(
  bytes: Uint8Array,
  rows: number,
  columns: number,
  { unsaid, shape, ...look }: Look,
  type = 'image/png',
) {
  const channels = look.channels ?? 1;
  const picture = { ...plainPreparation({ rows, columns }, channels), ...look };
  const model = {
    name: 'm',
    shape: shape ?? ['N', ...pictureShape(picture)],
    kind: 'probabilities',
    run: flatten,
  } as const;
  const worker = createWorker(imageOf({ ...model, ...(!unsaid && { picture }) }));
  const path = '/v2/models/m/classify?top_k=1000&image=true';
  return ask(worker, path, { method: 'POST', body: bytes, headers: { 'content-type': type } });
}

/** Returns the input that the model received. */
async function given(...request: Parameters<typeof classify>): Promise<number[]> {
  const { status, body } = await classify(...request);
  expect(status).toBe(200);
  const [{ top }] = (body as { predictions: [{ top: { index: number; probability: number }[] }] }).predictions;
  return top.toSorted((a, b) => a.index - b.index).map(({ probability }) => probability);
}

describe('a picture', () => {
  it.each<[string, Uint8Array, number, number, Look, number[]]>([
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
    ['as rows and columns', grey, 2, 4, { shape: ['N', 2, 4] }, [0, 51, 102, 153, 204, 255, 0, 51]],
    ['as one row', grey, 2, 4, { shape: ['N', 8] }, [0, 51, 102, 153, 204, 255, 0, 51]],
    ['of a size that the model leaves free', grey, 1, 4, { shape: ['N', 1, 'H', 'W'] }, [102, 153, 51, 102]],
    ['the channels behind', clear, 1, 2, { ...colour, layout: 'NHWC' }, [255, 51, 0, 255, 51, 0]],
    [
      'the channels behind, as one row',
      clear,
      1,
      2,
      { ...colour, layout: 'NHWC', shape: ['N', 6] },
      [255, 51, 0, 255, 51, 0],
    ],
    ['blue first', clear, 1, 2, { ...colour, order: 'BGR' }, [0, 0, 51, 51, 255, 255]],
    ['grey, for one that takes blue first', grey, 1, 1, { channels: 3, order: 'BGR', fit: 'cover' }, [103, 103, 103]],
    ['blue first, behind', clear, 1, 2, { ...colour, order: 'BGR', layout: 'NHWC' }, [0, 51, 255, 0, 51, 255]],
    ['by mean and std', clear, 1, 2, { ...colour, numbers }, [3, 3, 51, 51, -2, -2]],
    ['by mean and std, behind', clear, 1, 2, { ...colour, numbers, layout: 'NHWC' }, [3, 51, -2, 3, 51, -2]],
    [
      'with its alpha',
      clear,
      2,
      4,
      { channels: 4 },
      [255, 51, 0].flatMap((value) => new Array<number>(8).fill(value)).concat([255, 0, 255, 0, 255, 0, 255, 0]),
    ],
    [
      'with an alpha that it lacks',
      grey,
      2,
      4,
      { channels: 4 },
      [...twoRows, ...twoRows, ...twoRows, ...new Array<number>(8).fill(255)],
    ],
    ['of two bytes a channel', deep, 1, 2, { values: [0, 1] }, [1, 0.2]],
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

  it('is shown red first and side by side, however the model takes it', async () => {
    const looks: readonly Look[] = [
      {},
      { layout: 'NHWC' },
      { order: 'BGR' },
      { order: 'BGR', layout: 'NHWC', numbers },
      { layout: 'NHWC', shape: ['N', 24], values: [-1, 1] },
      { shape: ['N', 3, 'H', 'W'] },
    ];
    const urls = await Promise.all(
      looks.map(async (look) => {
        const { body } = await classify(clear, 2, 4, { channels: 3, ...look });
        return (body as { predictions: [{ image: string }] }).predictions[0].image;
      }),
    );
    expect(urls[0]).toMatch(/^data:image\/png;base64,/);
    expect(new Set(urls).size).toBe(1);
  });

  it('is shown where it is large', async () => {
    const noise = Uint8Array.from({ length: 224 * 224 * 3 }, (_, i) => Math.imul(i + 1, 2654435761) >>> 24);
    const file = encode({ width: 224, height: 224, channels: 3, data: noise });
    const { body } = await classify(file, 224, 224, { channels: 3 });
    const [{ image }] = (body as { predictions: [{ image: string }] }).predictions;
    const shown = Uint8Array.from(atob(image.replace(/^.*,/, '')), (sign) => sign.charCodeAt(0));
    expect(decode(shown).data).toEqual(noise);
  });

  it.each<[string, Look, string]>([
    [
      'of a card that does not say how',
      { unsaid: true },
      'm does not say how it takes them: set "picture" of the input "x" to "imagenet", "[0,1]", "[-1,1]", "raw" or more in models/m/card.json and build again',
    ],
    [
      'of a card that does not say how, of rows of numbers',
      { unsaid: true, shape: ['N', 5] },
      'm does not say how it takes them: it takes rows of 5 numbers as tensors; if these are pixels, say of which size in "picture" of the input "x" in models/m/card.json and build again',
    ],
    [
      'of single numbers, which no card makes pictures of',
      { unsaid: true, shape: ['N'] },
      'picture: expected a model with one input of pictures, m has [-1]',
    ],
    ['of another number of pictures', { shape: [2, 1, 2, 4] }, 'body: expected a multiple of 16 bytes, got 8'],
  ])('is refused by a model %s', async (_, look, error) => {
    for (const type of ['image/png', 'application/octet-stream']) {
      const { status, body } = await classify(type === 'image/png' ? grey : new Uint8Array(8), 2, 4, look, type);
      expect([status, body]).toEqual([400, { error: expect.stringContaining(error) as string }]);
    }
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
          'picture: expected a model that was trained on pictures, or on arrays of bytes or of numbers from 0 to 1; m takes its numbers only as tensors',
      },
    ]);
  });
});
