import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ImageOptions, readImageFolder } from '../../../training/data/index.ts';
import { Preparers } from '../../../training/data/image-threads.ts';
import { bmp } from './bmp-file.ts';
import { UserError } from '../../../training/files/errors.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'images-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function save(name: string, content: Uint8Array | string) {
  await mkdir(dirname(join(folder, name)), { recursive: true });
  await writeFile(join(folder, name), content);
}

const raw = (width: number, height: number, channels: 1 | 3 | 4, pixels: number[]) =>
  sharp(Uint8Array.from(pixels), { raw: { width, height, channels } });

/** Reads all images of a folder without parts. */
const read = async (path: string, options?: ImageOptions) => (await readImageFolder(path, options)).parts.train;

/** Makes a picture of two pixels side by side. */
const grey = (left: number, right: number) => raw(2, 1, 1, [left, right]).toColourspace('b-w').png().toBuffer();
/** Makes a picture in colour, in which every byte differs from its neighbours. */
const noise = (width: number, height: number) =>
  raw(
    width,
    height,
    3,
    Array.from({ length: width * height * 3 }, (_, i) => (i * i) % 251),
  );
const colour = (pixels: number[]) => raw(2, 1, 3, pixels).png().toBuffer();

describe('a folder of images', () => {
  it('has a class for each folder and its images in the order of their names', async () => {
    await save('10/a.png', await grey(1, 2));
    await save('9/b.PNG', await grey(5, 6));
    await save('9/a.png', await grey(3, 4));
    await save('9/notes.txt', 'not an image');
    await save('9/.hidden.png', 'not an image either');
    await save('.git/config', '');
    expect(await read(folder)).toEqual({
      task: 'classification',
      inputs: Uint8Array.of(3, 4, 5, 6, 1, 2),
      inputShape: [1, 1, 2],
      count: 3,
      labels: Int32Array.of(0, 0, 1),
      classes: ['9', '10'],
      files: ['9/a.png', '9/b.PNG', '10/a.png'],
    });
  });

  it('has planes of red, green and blue as soon as one image is coloured', async () => {
    await save('a/1.png', await grey(7, 8));
    await save('b/1.png', await colour([1, 2, 3, 4, 5, 6]));
    const { inputs, inputShape } = await read(folder);
    expect(inputShape).toEqual([3, 1, 2]);
    expect([...inputs]).toEqual([7, 8, 7, 8, 7, 8, 1, 4, 2, 5, 3, 6]);
  });

  it('is brought to one size and to grey when told to', async () => {
    await save('a/1.png', await raw(4, 4, 3, Array<number>(48).fill(200)).png().toBuffer());
    await save('a/2.jpg', await raw(8, 2, 3, Array<number>(48).fill(50)).jpeg().toBuffer());
    const { inputs, inputShape } = await read(folder, { size: { rows: 1, columns: 3 }, channels: 1 });
    expect(inputShape).toEqual([1, 1, 3]);
    expect([...inputs]).toEqual([200, 200, 200, 50, 50, 50]);
  });

  it('lies on white where it is transparent', async () => {
    await save('a/1.png', await raw(2, 1, 4, [0, 0, 0, 0, 9, 9, 9, 255]).png().toBuffer());
    expect([...(await read(folder)).inputs]).toEqual([255, 9, 255, 9, 255, 9]);
  });

  it('is turned upright as the camera says', async () => {
    const quarterTurn = raw(2, 1, 3, [0, 0, 0, 255, 255, 255]).withMetadata({ orientation: 6 });
    await save('a/1.jpg', await quarterTurn.jpeg({ quality: 100, chromaSubsampling: '4:4:4' }).toBuffer());
    const { inputs, inputShape } = await read(folder, { channels: 1 });
    expect(inputShape).toEqual([1, 2, 1]);
    expect(inputs[0]).toBeLessThan(8);
    expect(inputs[1]).toBeGreaterThan(247);
  });

  it('keeps many images apart, though they are decoded side by side', async () => {
    for (let i = 0; i < 100; i++) await save(`a/${String(i).padStart(3, '0')}.png`, await grey(i, 255 - i));
    const { inputs } = await read(folder);
    expect([...inputs]).toEqual(Array.from({ length: 100 }, (_, i) => [i, 255 - i]).flat());
  });

  it('is prepared on threads when it is large, to the same bytes in the same order', async () => {
    const count = 230;
    for (let i = 0; i < count; i++) {
      const picture = raw(2, 1, 1, [i, 255 - i]).toColourspace('b-w');
      const file = i % 7 === 0 ? await picture.jpeg({ quality: 100 }).toBuffer() : await picture.png().toBuffer();
      await save(`a/${String(i).padStart(3, '0')}.${i % 7 === 0 ? 'jpg' : 'png'}`, file);
    }
    const { parts, picture } = await readImageFolder(folder);
    const paths = (await readdir(join(folder, 'a'))).sort().map((name) => join(folder, 'a', name));
    await using preparers = new Preparers(count, picture, 1);
    const [prepare = () => Promise.reject(new Error('internal: no preparer'))] = preparers.all;
    const alone = await Promise.all(paths.map((path) => prepare(path)));
    expect([...parts.train.inputs]).toEqual(alone.flatMap((bytes) => [...bytes]));
    await save('a/100.png', 'hello');
    const { notes } = await readImageFolder(folder, { skipBroken: true, size: { rows: 1, columns: 2 } });
    expect(notes.join()).toMatch(/^broken files skipped: 1, such as .*\/a\/100\.png: cannot decode: /);
    await save('a/100.png', (await noise(64, 64).png().toBuffer()).subarray(0, -200));
    await expect(readImageFolder(folder, { size: { rows: 1, columns: 2 } })).rejects.toThrow(
      /\/a\/100\.png: cannot decode: .*; --skip-broken leaves such files out$/,
    );
  });

  it.each<[string, Record<string, Uint8Array | string | Promise<Uint8Array>>, RegExp]>([
    [
      'no folder for its images',
      { 'a.png': 'x' },
      /for each class, got images in no folder, which evaluate --predictions answers$/,
    ],
    [
      'no folders',
      { 'a.txt': 'x' },
      /^: expected a folder of images \(PNG, JPEG, WebP, TIFF, GIF or BMP\) for each class, got no folders$/,
    ],
    [
      'no pictures',
      { 'a/x.txt': 'x' },
      /^: expected a folder of images \(PNG, JPEG, WebP, TIFF, GIF or BMP\) for each class, got none$/,
    ],
    [
      'two sizes',
      { 'a/1.png': grey(1, 2), 'b/2.png': raw(1, 1, 1, [1]).png().toBuffer() },
      /^\/b\/2\.png: expected 2 × 1 pixels like .*\/a\/1\.png, or one size given for all \(--image-size\), got 1 × 1$/,
    ],
    ['an empty image', { 'a/1.png': '' }, /^\/a\/1\.png: cannot decode: .+; --skip-broken leaves such files out$/],
    [
      'something else named an image',
      { 'a/1.png': 'hello' },
      /^\/a\/1\.png: cannot decode: .+; --skip-broken leaves such files out$/,
    ],
    [
      'another format named an image',
      { 'a/1.png': '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"/>' },
      /^\/a\/1\.png: expected a PNG, JPEG, WebP, TIFF, GIF or BMP image, got svg; --skip-broken leaves such files out$/,
    ],
    [
      'an image cut short',
      {
        'a/1.png': noise(64, 64)
          .png()
          .toBuffer()
          .then((png) => png.subarray(0, -200)),
      },
      /^\/a\/1\.png: cannot decode: .+; --skip-broken leaves such files out$/,
    ],
    [
      'a photo cut short',
      {
        'a/1.jpg': noise(64, 64)
          .jpeg()
          .toBuffer()
          .then((jpeg) => jpeg.subarray(0, -200)),
      },
      /^\/a\/1\.jpg: cannot decode: .+; --skip-broken leaves such files out$/,
    ],
  ])('is refused with %s', async (_name, files, message) => {
    for (const [name, content] of Object.entries(files)) await save(name, await content);
    const error: unknown = await readImageFolder(folder).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UserError);
    expect((error as Error).message.slice(folder.length)).toMatch(message);
  });

  it('is refused in one line when it is missing', async () => {
    await expect(readImageFolder('/nowhere')).rejects.toThrow(
      new UserError('/nowhere: cannot read: no such file or directory'),
    );
  });

  const white = (left: number, right: number) =>
    raw(2, 1, 4, [255, 255, 255, left, 255, 255, 255, right]).png().toBuffer();
  it('says that all are the same, as white ink on transparency is on white, and is read on another background', async () => {
    await save('a/1.png', await white(0, 255));
    await save('b/1.png', await white(255, 0));
    expect((await readImageFolder(folder)).notes).toEqual([
      'all 2 pictures are the same; what is transparent shows #ffffff: --background chooses another colour',
    ]);
    const { parts, picture, notes } = await readImageFolder(folder, { background: '#000000' });
    expect(notes).toEqual([]);
    expect([...parts.train.inputs]).toEqual([0, 255, 0, 255, 0, 255, 255, 0, 255, 0, 255, 0]);
    expect(picture).toEqual({
      size: { rows: 1, columns: 2 },
      channels: 3,
      filter: 'triangle',
      fit: 'stretch',
      background: '#000000',
    });
  });

  it('says that all are the same, whatever they show', async () => {
    await save('a/1.png', await grey(1, 2));
    await save('b/1.png', await grey(1, 2));
    expect((await readImageFolder(folder)).notes).toEqual(['all 2 pictures are the same']);
  });

  it('says which pictures are of one colour', async () => {
    await save('a/1.png', await grey(1, 2));
    await save('a/2.png', await grey(3, 3));
    await save('b/1.png', await colour([1, 2, 3, 1, 2, 3]));
    const { notes } = await readImageFolder(folder);
    expect(notes).toEqual([`2 of 3 pictures are of one colour, such as ${folder}/a/2.png`]);
  });

  it('leaves out what is no class and no picture, and says so', async () => {
    await save('a/1.png', await grey(1, 2));
    await save('b/deep/er/1.png', await grey(3, 4));
    await save('b/2.png', await grey(5, 6));
    await save('b/__MACOSX/._2.png', 'x');
    await save('__MACOSX/a/._1.png', 'x');
    await save('.cache/a/1.png', 'x');
    await save('a/Thumbs.db', 'x');
    await save('b/labels.csv', 'x');
    await save('notes/readme.txt', 'x');
    await mkdir(join(folder, 'nothing'));
    const { parts, notes } = await readImageFolder(folder);
    expect([...parts.train.inputs]).toEqual([1, 2, 5, 6, 3, 4]);
    expect(parts.train.classes).toEqual(['a', 'b']);
    expect(notes).toEqual([
      'left out: .cache, __MACOSX, b/__MACOSX',
      'left out, without pictures: notes, nothing',
      'left out, files that are no pictures: 3, such as a/Thumbs.db',
    ]);
  });

  it('is found in the one folder that an archive holds', async () => {
    await save('pets/images/cat/1.png', await grey(1, 2));
    await save('pets/images/dog/1.png', await grey(3, 4));
    await save('__MACOSX/pets/._images', 'x');
    expect(await readImageFolder(folder)).toMatchObject({ parts: { train: { classes: ['cat', 'dog'], count: 2 } } });
  });

  it('is found in the folder of an archive that also holds a file', async () => {
    await save('pets/cat/1.png', await grey(1, 2));
    await save('pets/dog/1.png', await grey(3, 4));
    await save('pets/readme.txt', 'x');
    const { parts, notes } = await readImageFolder(folder);
    expect(parts.train.classes).toEqual(['cat', 'dog']);
    expect(notes).toEqual(['left out, files that are no pictures: 1, such as pets/readme.txt']);
  });

  it.each([
    ['train', 'valid', 'test'],
    ['Training', 'validation', 'Testing'],
    ['train_set', 'val_set', 'test_set'],
  ])('has the parts %s, %s and %s', async (train, validation, test) => {
    await save(`${train}/a/1.png`, await grey(1, 2));
    await save(`${train}/b/1.png`, await grey(3, 4));
    await save(`${validation}/b/1.png`, await grey(5, 6));
    await save(`${test}/a/1.png`, await grey(7, 8));
    await save(`${test}/b/1.png`, await grey(9, 10));
    await save('models/x/1.png', await grey(9, 10));
    const { parts, notes } = await readImageFolder(folder);
    const common = { task: 'classification', inputShape: [1, 1, 2], classes: ['a', 'b'] };
    expect(parts).toEqual({
      train: {
        ...common,
        count: 2,
        inputs: Uint8Array.of(1, 2, 3, 4),
        labels: Int32Array.of(0, 1),
        files: [`${train}/a/1.png`, `${train}/b/1.png`],
      },
      validation: {
        ...common,
        count: 1,
        inputs: Uint8Array.of(5, 6),
        labels: Int32Array.of(1),
        files: [`${validation}/b/1.png`],
      },
      test: {
        ...common,
        count: 2,
        inputs: Uint8Array.of(7, 8, 9, 10),
        labels: Int32Array.of(0, 1),
        files: [`${test}/a/1.png`, `${test}/b/1.png`],
      },
    });
    expect(notes).toEqual(['left out, without a folder for each class of train: models']);
  });

  it('takes no test part without classes, and refuses one with a class that training lacks', async () => {
    await save('train/a/1.png', await grey(1, 2));
    await save('train/b/1.png', await grey(3, 4));
    await save('valid/a/1.png', await grey(5, 6));
    await save('test/1.png', await grey(7, 8));
    const { parts, notes } = await readImageFolder(folder);
    expect(Object.keys(parts)).toEqual(['train', 'validation']);
    expect(notes).toEqual(['left out, without a folder for each class of train: test']);
    await save('valid/c/1.png', await grey(5, 6));
    await expect(readImageFolder(folder)).rejects.toThrow(
      `${folder}/valid/c: expected a class that ${folder}/train has (a, b), got another`,
    );
  });

  it('skips and counts broken files when told to', async () => {
    await save('a/1.png', await grey(1, 2));
    await save('a/2.png', 'hello');
    await save('a/3.png', await grey(3, 4));
    await save('b/1.png', (await noise(64, 64).png().toBuffer()).subarray(0, -200));
    await save('b/2.png', await grey(5, 6));
    const size = { rows: 1, columns: 2 };
    const { parts, notes } = await readImageFolder(folder, { size, skipBroken: true, channels: 1 });
    expect([...parts.train.inputs]).toEqual([1, 2, 3, 4, 5, 6]);
    expect([...parts.train.labels]).toEqual([0, 0, 1]);
    expect(notes).toEqual([expect.stringMatching(/^broken files skipped: 2, such as .*\/a\/2\.png: cannot decode: /)]);
  });

  it('is refused when every file is broken, even if they may be skipped', async () => {
    await save('a/1.png', 'hello');
    await expect(readImageFolder(folder, { skipBroken: true })).rejects.toThrow(
      /: expected images that can be decoded, got .*\/a\/1\.png: cannot decode/,
    );
  });

  it.each(['train', 'validation', 'test'])('is refused when every file for %s is broken', async (broken) => {
    for (const part of ['train', 'validation', 'test'])
      for (const name of ['a', 'b']) await save(`${part}/${name}/1.png`, part === broken ? 'hello' : await grey(1, 2));
    await expect(readImageFolder(folder, { skipBroken: true })).rejects.toThrow(
      `${folder}: expected images for ${broken} that can be decoded, got only broken ones`,
    );
  });

  it('holds drawings, framed and centred, when told to', async () => {
    const ink = (x: number, y: number) => (x > 5 && x < 12 && y > 2 && y < 30 ? 0 : 255);
    const pixels = Array.from({ length: 60 * 40 }, (_, i) => ink(i % 60, Math.floor(i / 60)));
    await save('a/1.png', await raw(60, 40, 1, pixels).png().toBuffer());
    const { parts, picture } = await readImageFolder(folder, { pictures: 'drawing' });
    expect(picture).toMatchObject({ size: { rows: 28, columns: 28 }, channels: 1, drawing: true });
    const { inputs } = parts.train;
    const columns = Array.from({ length: 28 }, (_, x) => Math.max(...inputs.filter((_, i) => i % 28 === x)));
    expect(columns.findIndex((value) => value > 200)).toBe(13);
    expect(columns.findLastIndex((value) => value > 200)).toBe(16);
  });

  const pixels = [250, 0, 5, 7, 0, 248, 100, 0, 155, 9, 0, 246, 0, 0, 255, 255, 0, 0];
  const planes = [0, 1, 2].flatMap((channel) => pixels.filter((_, i) => i % 3 === channel));
  it.each<[string, () => Promise<Uint8Array> | Uint8Array]>([
    ['webp', () => raw(3, 2, 3, pixels).webp({ lossless: true }).toBuffer()],
    ['tiff', () => raw(3, 2, 3, pixels).tiff({ compression: 'lzw' }).toBuffer()],
    ['tif', () => raw(3, 2, 3, pixels).toColourspace('rgb16').tiff({ compression: 'none' }).toBuffer()],
    ['gif', () => raw(3, 2, 3, pixels).gif({ dither: 0 }).toBuffer()],
    ['bmp', () => bmp(24, 3, 2, pixels)],
    ['BMP', () => bmp(32, 3, 2, pixels)],
    ['8.bmp', () => bmp(8, 3, 2, pixels)],
  ])('may be of %s', async (extension, file) => {
    await save(`a/1.${extension}`, await file());
    expect([...(await read(folder)).inputs]).toEqual(planes);
  });

  it('has the first picture of an animation', async () => {
    const frames = Array.from({ length: 2 }, (_, frame) => Array<number>(12).fill(frame * 255)).flat();
    const image = sharp(Uint8Array.from(frames), { raw: { width: 2, height: 4, channels: 3, pageHeight: 2 } });
    await save('a/1.gif', await image.gif().toBuffer());
    const { inputs, inputShape } = await read(folder, { channels: 1 });
    expect(inputShape).toEqual([1, 2, 2]);
    expect([...inputs]).toEqual([0, 0, 0, 0]);
  });
});

describe('a folder without classes', () => {
  it('has its pictures in the order of their names where no label is needed', async () => {
    await save('b.png', await grey(3, 4));
    await save('a.png', await grey(1, 2));
    await save('notes.txt', 'x');
    const { parts, notes } = await readImageFolder(folder, { needsLabel: false });
    expect(parts.train).toMatchObject({
      inputs: Uint8Array.of(1, 2, 3, 4),
      labels: Int32Array.of(-1, -1),
      classes: [],
      files: ['a.png', 'b.png'],
    });
    expect(notes).toEqual(['left out, files that are no pictures: 1, such as notes.txt']);
  });

  it('is refused without pictures, whether a label is needed or not', async () => {
    await save('a.txt', 'x');
    await expect(readImageFolder(folder, { needsLabel: false })).rejects.toThrow('for each class, got no folders');
  });

  it('is one of classes as soon as it has a folder of pictures', async () => {
    await save('a/1.png', await grey(1, 2));
    await save('loose.png', await grey(3, 4));
    const { parts, notes } = await readImageFolder(folder, { needsLabel: false });
    expect(parts.train).toMatchObject({ count: 1, classes: ['a'] });
    expect(notes).toEqual(['left out, files that are no pictures: 1, such as loose.png']);
  });

  it('is refused where two folders are for one part', async () => {
    await save('train/a/1.png', await grey(1, 2));
    await save('training/a/1.png', await grey(1, 2));
    await expect(readImageFolder(folder)).rejects.toThrow(
      `${folder}: expected one folder for train, got "train" and "training"`,
    );
  });

  it('has classes named train where there is no other part', async () => {
    await save('train/1.png', await grey(1, 2));
    await save('other/1.png', await grey(3, 4));
    expect((await read(folder)).classes).toEqual(['other', 'train']);
  });

  it('is refused where the training part has no classes', async () => {
    await save('train/1.png', await grey(1, 2));
    await save('test/a/1.png', await grey(3, 4));
    await expect(readImageFolder(folder)).rejects.toThrow(
      /\/train: expected a folder of images .* for each class, got none/,
    );
  });
});
