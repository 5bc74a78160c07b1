import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseIdx, readIdx, readIdxDataset } from '../../../training/data/index.ts';
import { UserError } from '../../../training/files/errors.ts';
import { idx } from './idx-file.ts';

describe('an IDX file', () => {
  const bytes = idx([2, 3], [1, 2, 3, 4, 5, 255]);

  it.each([
    ['plain', bytes],
    ['compressed', gzipSync(bytes)],
    ['somewhere inside a larger buffer', Buffer.concat([Uint8Array.of(9, 9, 9), bytes]).subarray(3)],
  ])('is read when %s', (_name, file) => {
    const { shape, data } = parseIdx(file, 'f');
    expect({ shape, data: [...data] }).toEqual({ shape: [2, 3], data: [1, 2, 3, 4, 5, 255] });
  });

  it('may hold nothing', () => {
    expect(parseIdx(idx([0, 28, 28], []), 'f').shape).toEqual([0, 28, 28]);
  });

  const magic = 'f: expected an IDX file of unsigned bytes (00 00 08, then a rank of at most 8), got';
  const huge = Buffer.concat([idx([0xffffffff, 0xffffffff], []), Uint8Array.of(1)]);
  it.each([
    ['nothing', new Uint8Array(0), `${magic} an empty file`],
    ['less than a magic', Uint8Array.of(0, 0, 8), `${magic} 00 00 08`],
    ['a PNG', Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d), `${magic} 89 50 4e 47`],
    ['float32 elements', Uint8Array.of(0, 0, 0x0d, 1, 0, 0, 0, 0), `${magic} 00 00 0d 01`],
    ['no dimensions', Uint8Array.of(0, 0, 8, 0, 7), `${magic} 00 00 08 00`],
    ['a header cut short', bytes.subarray(0, 11), 'f: expected 12 bytes of header for 2 dimensions, got 11'],
    ['elements cut short', bytes.subarray(0, 17), 'f: expected 18 bytes for uint8 [2, 3], got 17'],
    ['trailing bytes', Buffer.concat([bytes, Uint8Array.of(0)]), 'f: expected 18 bytes for uint8 [2, 3], got 19'],
    [
      'a size beyond all memory',
      huge,
      'f: expected 18446744065119617000 bytes for uint8 [4294967295, 4294967295], got 13',
    ],
    ['too few elements, compressed', gzipSync(bytes.subarray(0, 17)), 'f: expected 18 bytes for uint8 [2, 3], got 17'],
    [
      'a size beyond all memory, compressed',
      gzipSync(huge),
      'f: expected 18446744065119617000 bytes for uint8 [4294967295, 4294967295], got 13',
    ],
    [
      'far more than announced, compressed',
      gzipSync(Buffer.concat([bytes, new Uint8Array(2 ** 24)])),
      'f: expected 18 bytes for uint8 [2, 3], got more',
    ],
    ['something else, compressed', gzipSync('hello, world'), `${magic} 68 65 6c 6c`],
    ['gzip cut short', gzipSync(bytes).subarray(0, -4), 'f: cannot decompress: unexpected end of file'],
    ['gzip with a wrong checksum', withByte(gzipSync(bytes), -8, 0x5a), 'f: cannot decompress: incorrect data check'],
    ['a gzip magic alone', Uint8Array.of(0x1f, 0x8b), `${magic} an empty file`],
  ])('is refused with %s', (_name, file, message) => {
    expect(() => parseIdx(file, 'f')).toThrow(new UserError(message));
  });

  it('is refused in one line when it is missing', async () => {
    await expect(readIdx('/nowhere/at-all')).rejects.toThrow(
      new UserError('/nowhere/at-all: cannot read: no such file or directory'),
    );
  });
});

describe('a pair of IDX files', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'idx-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  async function read(images: Uint8Array, labels: Uint8Array) {
    const paths = [join(folder, 'images'), join(folder, 'labels')] as const;
    await writeFile(paths[0], images);
    await writeFile(paths[1], labels);
    return readIdxDataset(...paths, ['cat', 'dog']);
  }

  it('becomes images of one channel with their labels', async () => {
    expect(await read(idx([2, 1, 2], [1, 2, 3, 4]), idx([2], [1, 0]))).toEqual({
      task: 'classification',
      inputs: Uint8Array.of(1, 2, 3, 4),
      inputShape: [1, 1, 2],
      count: 2,
      places: Int32Array.of(0, 1),
      labels: Int32Array.of(1, 0),
      classes: ['cat', 'dog'],
    });
  });

  const images = idx([2, 1, 2], [1, 2, 3, 4]);
  it.each([
    [
      'images without rows',
      idx([2, 2], [1, 2, 3, 4]),
      idx([2], [1, 0]),
      'images: expected 3 dimensions (images, rows, columns), got 2',
    ],
    [
      'images with a fourth dimension',
      idx([1, 1, 1, 1], [1]),
      idx([1], [1]),
      'images: expected 3 dimensions (images, rows, columns), got 4',
    ],
    ['a label missing', images, idx([1], [1]), 'labels: expected 2 labels, one for each image, got shape [1]'],
    [
      'labels in a table',
      images,
      idx([2, 1], [1, 0]),
      'labels: expected 2 labels, one for each image, got shape [2, 1]',
    ],
    ['a label that names no class', images, idx([2], [0, 2]), 'labels: label 1: expected 0 to 1, got 2'],
  ])('is refused with %s', async (_name, imagesFile, labelsFile, message) => {
    await expect(read(imagesFile, labelsFile)).rejects.toThrow(new UserError(`${folder}/${message}`));
  });
});

/** Returns a copy with one byte replaced, counted from the end. */
function withByte(bytes: Uint8Array, position: number, byte: number): Uint8Array {
  return new Uint8Array(bytes).with(position, byte);
}
