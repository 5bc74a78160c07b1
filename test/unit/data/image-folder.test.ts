import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readImageFolder } from '../../../training/data/index.ts';
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

/** Two pixels wide, one high. */
const grey = (left: number, right: number) => raw(2, 1, 1, [left, right]).toColourspace('b-w').png().toBuffer();
const colour = (pixels: number[]) => raw(2, 1, 3, pixels).png().toBuffer();

describe('a folder of images', () => {
  it('has a class for each folder and its images in the order of their names', async () => {
    await save('10/a.png', await grey(1, 2));
    await save('9/b.PNG', await grey(5, 6));
    await save('9/a.png', await grey(3, 4));
    await save('9/notes.txt', 'not an image');
    await save('9/.hidden.png', 'not an image either');
    await save('.git/config', '');
    expect(await readImageFolder(folder)).toEqual({
      task: 'classification',
      inputs: Uint8Array.of(3, 4, 5, 6, 1, 2),
      inputShape: [1, 1, 2],
      count: 3,
      labels: Int32Array.of(0, 0, 1),
      classes: ['9', '10'],
    });
  });

  it('has planes of red, green and blue as soon as one image is coloured', async () => {
    await save('a/1.png', await grey(7, 8));
    await save('b/1.png', await colour([1, 2, 3, 4, 5, 6]));
    const { inputs, inputShape } = await readImageFolder(folder);
    expect(inputShape).toEqual([3, 1, 2]);
    expect([...inputs]).toEqual([7, 8, 7, 8, 7, 8, 1, 4, 2, 5, 3, 6]);
  });

  it('is brought to one size and to grey when told to', async () => {
    await save('a/1.png', await raw(4, 4, 3, Array<number>(48).fill(200)).png().toBuffer());
    await save('a/2.jpg', await raw(8, 2, 3, Array<number>(48).fill(50)).jpeg().toBuffer());
    const { inputs, inputShape } = await readImageFolder(folder, { size: { rows: 1, columns: 3 }, channels: 1 });
    expect(inputShape).toEqual([1, 1, 3]);
    expect([...inputs]).toEqual([200, 200, 200, 50, 50, 50]);
  });

  it('lies on white where it is transparent', async () => {
    await save('a/1.png', await raw(2, 1, 4, [0, 0, 0, 0, 9, 9, 9, 255]).png().toBuffer());
    expect([...(await readImageFolder(folder)).inputs]).toEqual([255, 9, 255, 9, 255, 9]);
  });

  it('is turned upright as the camera says', async () => {
    const quarterTurn = raw(2, 1, 3, [0, 0, 0, 255, 255, 255]).withMetadata({ orientation: 6 });
    await save('a/1.jpg', await quarterTurn.jpeg({ quality: 100, chromaSubsampling: '4:4:4' }).toBuffer());
    const { inputs, inputShape } = await readImageFolder(folder, { channels: 1 });
    expect(inputShape).toEqual([1, 2, 1]);
    expect(inputs[0]).toBeLessThan(8);
    expect(inputs[1]).toBeGreaterThan(247);
  });

  it('keeps many images apart, though they are decoded side by side', async () => {
    for (let i = 0; i < 100; i++) await save(`a/${String(i).padStart(3, '0')}.png`, await grey(i, 255 - i));
    const { inputs } = await readImageFolder(folder);
    expect([...inputs]).toEqual(Array.from({ length: 100 }, (_, i) => [i, 255 - i]).flat());
  });

  it.each<[string, Record<string, Uint8Array | string | Promise<Uint8Array>>, RegExp]>([
    ['no folders', { 'a.png': 'x' }, /^: expected a folder of images for each class, got no folders$/],
    ['an empty class', { 'a/x.txt': 'x' }, /^\/a: expected PNG or JPEG images, got none$/],
    [
      'two sizes',
      { 'a/1.png': grey(1, 2), 'b/2.png': raw(1, 1, 1, [1]).png().toBuffer() },
      /^\/b\/2\.png: expected 2 × 1 pixels like .*\/a\/1\.png, or one size given for all, got 1 × 1$/,
    ],
    ['an empty image', { 'a/1.png': '' }, /^\/a\/1\.png: cannot decode: .+$/],
    ['something else named an image', { 'a/1.png': 'hello' }, /^\/a\/1\.png: cannot decode: .+$/],
    [
      'another format named an image',
      { 'a/1.png': '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"/>' },
      /^\/a\/1\.png: expected a PNG or JPEG image, got svg$/,
    ],
    [
      'an image cut short',
      {
        'a/1.png': raw(
          64,
          64,
          3,
          Array.from({ length: 12288 }, (_, i) => (i * i) % 251),
        )
          .png()
          .toBuffer()
          .then((png) => png.subarray(0, -200)),
      },
      /^\/a\/1\.png: cannot decode: .+$/,
    ],
    [
      'a photo cut short',
      {
        'a/1.jpg': raw(
          64,
          64,
          3,
          Array.from({ length: 12288 }, (_, i) => (i * i) % 251),
        )
          .jpeg()
          .toBuffer()
          .then((jpeg) => jpeg.subarray(0, -200)),
      },
      /^\/a\/1\.jpg: cannot decode: .+$/,
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
});
