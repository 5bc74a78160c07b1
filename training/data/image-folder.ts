/**
 * Images sorted into one folder for each class: `folder/cat/1.png`, `folder/dog/2.jpg`. The headers of all images are read
 * first, so that the pixels then go straight to their place in one array.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { cannotRead, elementCount, unexpected, UserError } from '../files/index.ts';
import { sortTexts } from './columns.ts';
import type { ClassificationDataset } from './dataset.ts';
import type { ImageOptions, ImageSize } from './options.ts';

/**
 * @returns bytes, `inputShape` `[channels, rows, columns]`. Images are turned upright as their EXIF data say, and laid on
 *   white where they are transparent.
 * @throws {UserError} naming the folder or image that cannot be used.
 */
export async function readImageFolder(path: string, options: ImageOptions = {}): Promise<ClassificationDataset> {
  const { classes, files, labels } = await listImages(path);
  const inputShape = await commonShape(files, options);
  const size = elementCount(inputShape);
  const inputs = new Uint8Array(files.length * size);
  await forEachConcurrently(files, async (file, index) => {
    await decode(file, inputShape, inputs.subarray(index * size, (index + 1) * size));
  });
  return { task: 'classification', inputs, inputShape, count: files.length, labels, classes };
}

/** Loaded when the first image is met: it is native code, which those who train on other data need not wait for. */
const imageLibrary = () => import('sharp');

type ImageShape = readonly [channels: 1 | 3, rows: number, columns: number];

/** Classes and files in an order that does not depend on the file system. */
async function listImages(path: string) {
  const folders = (await list(path)).filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'));
  const classes = sortTexts(folders.map(({ name }) => name));
  if (classes.length === 0) throw unexpected(path, 'a folder of images for each class', 'no folders');
  const images = await Promise.all(classes.map((name) => imagesIn(join(path, name))));
  const labels = images.flatMap((files, label) => files.map(() => label));
  return { classes, files: images.flat(), labels: Int32Array.from(labels) };
}

async function imagesIn(folder: string): Promise<string[]> {
  const names = (await list(folder)).map(({ name }) => name).filter((name) => /^[^.].*\.(png|jpe?g)$/i.test(name));
  if (names.length === 0) throw unexpected(folder, 'PNG or JPEG images', 'none');
  return names.sort().map((name) => join(folder, name));
}

async function list(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    throw cannotRead(folder, error);
  }
}

interface ImageHeader extends ImageSize {
  readonly grey: boolean;
}

async function commonShape(files: readonly string[], options: ImageOptions): Promise<ImageShape> {
  const headers: ImageHeader[] = [];
  await forEachConcurrently(files, async (file, index) => {
    headers[index] = await readHeader(file);
  });
  const size = options.size ?? commonSize(files, headers);
  return [options.channels ?? (headers.every(({ grey }) => grey) ? 1 : 3), size.rows, size.columns];
}

function commonSize(files: readonly string[], headers: readonly ImageHeader[]): ImageSize {
  const [first] = headers;
  if (first === undefined) throw new Error('internal: no images');
  headers.forEach(({ rows, columns }, index) => {
    if (rows === first.rows && columns === first.columns) return;
    const wanted = `${first.columns} × ${first.rows} pixels like ${files[0] ?? ''}, or one size given for all`;
    throw unexpected(files[index] ?? '', wanted, `${columns} × ${rows}`);
  });
  return first;
}

async function readHeader(file: string): Promise<ImageHeader> {
  const { default: sharp } = await imageLibrary();
  const { format, autoOrient, space } = await decoding(file, sharp(file).metadata());
  if (format !== 'png' && format !== 'jpeg') throw unexpected(file, 'a PNG or JPEG image', format);
  return { rows: autoOrient.height, columns: autoOrient.width, grey: space === 'b-w' || space === 'grey16' };
}

/** Writes the image's planes, one for each channel, into `planes`. */
async function decode(file: string, [channels, rows, columns]: ImageShape, planes: Uint8Array): Promise<void> {
  const { default: sharp } = await imageLibrary();
  const image = sharp(file)
    .autoOrient()
    .resize(columns, rows, { fit: 'fill' })
    .flatten({ background: 'white' })
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .raw({ depth: 'uchar' });
  const pixels = await decoding(file, image.toBuffer());
  if (pixels.length !== planes.length) throw new Error(`internal: ${file} has ${pixels.length} values`);
  const area = rows * columns;
  for (let i = 0; i < planes.length; i++) planes[i] = pixels[(i % area) * channels + Math.floor(i / area)] ?? 0;
}

async function decoding<T>(file: string, result: Promise<T>): Promise<T> {
  try {
    return await result;
  } catch (error) {
    const reason = error instanceof Error ? error.message.trim().split('\n').at(-1) : String(error);
    throw new UserError(`${file}: cannot decode: ${reason ?? ''}`, { cause: error });
  }
}

/** Enough for the decoder's threads, few enough to hold only a few decoded images. */
const CONCURRENCY = 8;

async function forEachConcurrently<T>(items: readonly T[], action: (item: T, index: number) => Promise<void>) {
  const waiting = items.entries();
  const worker = async () => {
    for (const [index, item] of waiting) await action(item, index);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
}
