/**
 * Pictures that would overload a Worker are refused by their headers, and the heaviest accepted ones stay within
 * limits.
 */
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import {
  decodeRows,
  PictureError,
  type PicturePreparation,
  plainPreparation,
  prepareRows,
} from '../../../training/pictures/index.ts';
import { LIMITS, type PictureRows } from '../../../training/pictures/picture.ts';
import { seeded } from '../../reference/random.ts';
import { CAMERA, floods, heaviestPictures, refusedPictures, searchingJpeg } from './pictures.ts';
import { mutate } from './mutate.ts';

const photo: PicturePreparation = plainPreparation({ rows: 32, columns: 32 }, 3);
const drawing: PicturePreparation = { ...plainPreparation({ rows: 28, columns: 28 }, 1), drawing: true };
const MB = 1e6;

function refusalOf(read: () => unknown): string | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    if (error instanceof PictureError) return error.message;
    throw error;
  }
}

/** Returns the most bytes, garbage included, by which array buffers grow while the rows are read. */
function growthWhile(rows: PictureRows, preparation: PicturePreparation): number {
  const used = (): number => process.memoryUsage().arrayBuffers;
  const before = used();
  let [peak, y] = [0, 0];
  const read: PictureRows['read'] = (take) => {
    rows.read((row) => {
      take(row);
      if (++y % 64 === 0) peak = Math.max(peak, used() - before);
    });
  };
  prepareRows({ ...rows, read }, preparation);
  expect(y).toBe(rows.height);
  return Math.max(peak, used() - before);
}

describe('a hostile picture', () => {
  it.each(refusedPictures)('is refused by what it declares: $name', ({ file, refusal }) => {
    expect(refusalOf(() => decodeRows(file()))).toBe(refusal);
  });

  it.each(floods)('is refused on the way: $name', ({ file, refusal }) => {
    expect(refusalOf(() => prepareRows(decodeRows(file()), photo))).toBe(refusal);
  });

  it.each(heaviestPictures({ width: 512, height: 320 }))('is read within the limits: $name', ({ file }) => {
    expect(prepareRows(decodeRows(file()), photo)).toHaveLength(3 * 32 * 32);
  });

  it('sends no bit of a JPEG twice, in whichever order its scans come', () => {
    const right = searchingJpeg({ width: 64, height: 64 }, 1, 6);
    expect(refusalOf(() => decodeRows(right))).toBeUndefined();
    const starts = Array.from(right.keys()).filter((i) => right[i] === 0xff && right[i + 1] === 0xda);
    expect(starts).toHaveLength(6);
    const without = (scan: number): Uint8Array =>
      Uint8Array.from([...right.subarray(0, starts[scan]), ...right.subarray(starts[scan + 1])]);
    for (const missing of [0, 1, 2, 3, 4]) expect(refusalOf(() => decodeRows(without(missing)))).toMatch(/damaged/);
  });

  const sound = async (): Promise<Uint8Array[]> => {
    const image = sharp(
      Uint8Array.from({ length: 24 * 20 * 4 }, (_, i) => (i * i) >> 3),
      {
        raw: { width: 24, height: 20, channels: 4 },
      },
    );
    const kinds = [
      image.clone().jpeg(),
      image.clone().withMetadata({ orientation: 6 }).jpeg({ progressive: true }),
      image.clone().png(),
      image.clone().png({ progressive: true }),
      image.clone().png({ palette: true, colours: 12 }),
    ];
    return Promise.all(kinds.map((kind) => kind.toBuffer()));
  };

  it('gives pixels or one line after each of 3,000 kinds of damage', async () => {
    const [random, files] = [seeded(7), await sound()];
    let refused = 0;
    for (let i = 0; i < 3000; i++) {
      const bytes = mutate(random, files, ['IDAT', 'IHDR', 'Exif']);
      const preparation = i % 2 === 0 ? photo : drawing;
      const refusal = refusalOf(() => prepareRows(decodeRows(bytes), preparation));
      if (refusal !== undefined) {
        refused++;
        expect(refusal).toMatch(/^(jpeg|png|picture): expected [^\p{Cc}]{5,200}$/u);
      }
    }
    expect(refused).toBeGreaterThan(300);
    expect(refused).toBeLessThan(3000);
  });
});

describe('a picture of 12 megapixels', () => {
  const { width, height } = CAMERA;
  const background = { r: 90, g: 120, b: 200, alpha: 0.5 };
  const image = sharp({ create: { width, height, channels: 4, background } });
  const kinds: Readonly<Record<string, () => Promise<Uint8Array>>> = {
    'a baseline JPEG': () => image.clone().jpeg().toBuffer(),
    'a progressive JPEG': () => image.clone().jpeg({ progressive: true, chromaSubsampling: '4:4:4' }).toBuffer(),
    'a JPEG that is turned': () => image.clone().withMetadata({ orientation: 6 }).jpeg().toBuffer(),
    'a PNG': () => image.clone().png().toBuffer(),
  };
  // The memory is for strips of blocks or a window of deflate; a drawing also takes one channel on each of two
  // backgrounds.
  it('has as many pixels as are allowed', () => {
    expect(width * height).toBe(LIMITS.pixels);
  });

  it.each(Object.keys(kinds))('takes little memory: %s', async (kind) => {
    const file = (await kinds[kind]?.()) ?? new Uint8Array();
    expect(growthWhile(decodeRows(file), photo)).toBeLessThan(8 * MB);
    expect(growthWhile(decodeRows(file), drawing)).toBeLessThan(40 * MB);
  });
});
