/** JPEG files of every kind give the same bits in the Worker's decoder as in libjpeg-turbo inside sharp. */
import sharp, { type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import { decodePicture, decodeRows } from '../../../training/pictures/index.ts';
import {
  frame,
  jpegFile,
  type JpegScript,
  quantization,
  scanHeader,
  type ScanScript,
  segment,
  tables,
} from '../hostile/jpeg-file.ts';

async function expectBits(file: Uint8Array): Promise<void> {
  const { width, height, channels, data: got } = decodePicture(file);
  const image = sharp(file, { ignoreIcc: true }).toColourspace(channels === 1 ? 'b-w' : 'srgb');
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  expect({ width, height, channels }).toEqual({ width: info.width, height: info.height, channels: info.channels });
  const wrong = got.findIndex((byte, i) => byte !== data[i]);
  expect({ wrong, length: got.length }).toEqual({ wrong: -1, length: data.length });
}

/** Draws smooth waves, hard edges and noise. */
function photo(width: number, height: number): Sharp {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const [channel, x, y] = [i % 3, Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
    if (x > 0.7 * width) return Math.imul(i + 3, 2654435761) >>> 24;
    if (y > 0.7 * height) return (Math.floor(x / 4) + channel) % 2 === 0 ? 250 : 5;
    return 128 + 127 * Math.sin(x / (5 + channel)) * Math.cos(y / (4 + channel));
  });
  return sharp(data, { raw: { width, height, channels: 3 } });
}

describe('a JPEG has the pixels that libjpeg-turbo gives it', () => {
  const sizes = [
    [1, 1],
    [2, 3],
    [5, 4],
    [8, 8],
    [16, 17],
    [33, 31],
    [131, 67],
  ] as const;
  it.each(sizes)('of %i × %i', async (width, height) => {
    for (const progressive of [false, true]) {
      for (const chromaSubsampling of ['4:2:0', '4:4:4']) {
        for (const quality of [30, 90, 100]) {
          await expectBits(await photo(width, height).jpeg({ progressive, chromaSubsampling, quality }).toBuffer());
        }
      }
      await expectBits(await photo(width, height).greyscale().toColourspace('b-w').jpeg({ progressive }).toBuffer());
    }
    await expectBits(await photo(width, height).jpeg({ mozjpeg: true, quality: 75 }).toBuffer());
  });

  /** Returns fewer and smaller coefficients towards the end of a block. */
  const coefficient = (component: number, x: number, y: number, k: number): number => {
    const noise = Math.imul(((component * 97 + x) * 89 + y) * 83 + k + 1, 2654435761) >>> 16;
    if (k === 0) return (noise % 1000) - 500;
    return noise % (2 + k) > 2 ? 0 : ((noise >> 3) % Math.ceil(160 / k)) - Math.floor(80 / k);
  };
  const samplings: readonly JpegScript['sampling'][] = [
    [
      [2, 1],
      [1, 1],
      [1, 1],
    ],
    [
      [1, 2],
      [1, 1],
      [1, 1],
    ],
    [
      [4, 1],
      [1, 1],
      [1, 1],
    ],
    [
      [2, 2],
      [1, 1],
      [2, 1],
    ],
    [
      [1, 4],
      [1, 2],
      [1, 1],
    ],
    [
      [1, 1],
      [2, 2],
      [2, 1],
    ],
    [[2, 2]],
  ];
  const scan = (components: readonly number[], first: number, last: number, high: number, low: number): ScanScript => ({
    components,
    first,
    last,
    high,
    low,
  });

  it.each(samplings.map((sampling) => ({ sampling })))('sampled $sampling', async ({ sampling }) => {
    const all = sampling.map((_, i) => i);
    const alone = all.map((component) => scan([component], 0, 63, 0, 0));
    const script = [
      scan(all, 0, 0, 0, 2),
      scan(all, 0, 0, 2, 1),
      ...all.flatMap((component) => [
        scan([component], 1, 5, 0, 1),
        scan([component], 6, 63, 0, 2),
        scan([component], 6, 63, 2, 1),
        scan([component], 1, 63, 1, 0),
      ]),
      scan(all, 0, 0, 1, 0),
    ];
    for (const [width, height] of [
      [45, 37],
      [3, 50],
      [64, 64],
    ] as const) {
      const file = { width, height, sampling, coefficient };
      await expectBits(jpegFile(file));
      await expectBits(jpegFile({ ...file, scans: alone }));
      await expectBits(jpegFile({ ...file, restarts: 3 }));
      await expectBits(jpegFile({ ...file, isProgressive: true, scans: script, restarts: 5 }));
    }
  });

  it.each([
    [128, 255, 200],
    [0, 127, 64],
  ])('whose coefficients of eight bits have a code of one bit: %i, %i, %i', async (...values) => {
    const noMore = Array.from({ length: 14 }, () => 0);
    // The code 0 is a coefficient of eight bits, 10 the end of the block.
    const codes = segment(0xc4, [0x10, 1, 1, ...noMore, 0x08, 0x00]);
    const bits = `00000000${values.map((value) => `0${value.toString(2).padStart(8, '0')}`).join('')}10`;
    const bytes = (bits.padEnd(40, '1').match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2));
    const file = [
      Uint8Array.of(0xff, 0xd8),
      quantization,
      ...tables.slice(0, 1),
      codes,
      frame({ width: 8, height: 8, sampling: [[1, 1]] }),
      scanHeader({ components: [0], first: 0, last: 63, high: 0, low: 0 }),
      Uint8Array.from(bytes.flatMap((byte) => (byte === 0xff ? [byte, 0] : [byte]))),
      Uint8Array.of(0xff, 0xd9),
    ];
    await expectBits(Buffer.concat(file));
  });

  it('whose colours an Adobe marker tells', async () => {
    const sampling = samplings[0] ?? [];
    for (const transform of [0, 1]) {
      const adobe = segment(0xee, [...Buffer.from('Adobe'), 0, 100, 0, 0, 0, 0, transform]);
      await expectBits(jpegFile({ width: 40, height: 20, sampling, coefficient, more: [adobe] }));
    }
  });
});

describe('a picture as large as a camera takes it', () => {
  it.each([{ progressive: false }, { progressive: true }, { mozjpeg: true }])('is read: %o', async (options) => {
    const [width, height] = [4096, 3072];
    const background = { r: 90, g: 120, b: 200 };
    const file = await sharp({ create: { width, height, channels: 3, background } })
      .jpeg(options)
      .toBuffer();
    let [rows, sum] = [0, 0];
    decodeRows(file).read((row) => {
      rows++;
      sum += row[3 * width - 1] ?? 0;
    });
    expect([rows, Math.round(sum / rows)]).toEqual([height, 200]);
  });
});
