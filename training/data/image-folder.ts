/**
 * Reads a folder of pictures as data: `image-layout.ts` lists the files, and each is prepared as the Worker will
 * prepare it. All headers are read first, so that the pixels can be written straight to their place in one array.
 */
import { relative } from 'node:path';
import { at, elementCount } from '../arrays/index.ts';
import { printable, unexpected, UserError } from '../files/index.ts';
import { numbersOf, pictureShape, type PicturePreparation, plainPreparation } from '../pictures/index.ts';
import { findConstantSamples } from './constant-samples.ts';
import type { ClassificationDataset, Samples } from './dataset.ts';
import { type ImageHeader, readHeader } from './image-file.ts';
import { type ImageFile, listImages, type Part } from './image-layout.ts';
import { Preparers } from './image-threads.ts';
import type { ImageOptions, ImageSize } from './options.ts';

export interface ImageFolderOptions extends ImageOptions {
  /** The preparation of pictures for an existing model. It overrides all other options about pictures. */
  readonly picture?: PicturePreparation | undefined;
  /**
   * Is true by default: pictures outside the folders of classes are refused. Otherwise such pictures get the label −1
   * and no class.
   */
  readonly needsLabel?: boolean | undefined;
}

export interface ImageFolder {
  /** The parts that the folder has. Without parts of its own, the whole folder is the training part. */
  readonly parts: Readonly<Partial<Record<Part, ClassificationDataset>>> & { readonly train: ClassificationDataset };
  /** The preparation of the pictures. `inputShape` of the data sets is `[channels, rows, columns]`. */
  readonly picture: PicturePreparation;
  /** Tells the user what was left out, and what looks odd. */
  readonly notes: readonly string[];
}

/**
 * Reads a folder of pictures.
 *
 * @throws UserError naming the folder or image that cannot be used, and the flag that decides
 */
export async function readImageFolder(path: string, options: ImageFolderOptions = {}): Promise<ImageFolder> {
  const { classes, parts, notes } = await listImages(path, options.needsLabel);
  const listed = Object.entries(parts).flatMap(([part, files]) => files.map((file) => ({ ...file, part })));
  const broken = new BrokenFiles(path, options.skipBroken);
  // Four headers at a time.
  const files = await broken.without(listed, [headed, headed, headed, headed]);
  const picture = options.picture ?? preparationOf(files, options);
  const inputShape = pictureShape(picture);
  const area = elementCount(inputShape);
  const bytes = new Uint8Array(files.length * area);
  await using preparers = new Preparers(files.length, picture);
  const placing = preparers.all.map((prepare) => async ({ path: file }: ImageFile, index: number) => {
    bytes.set(await prepare(file), index * area);
    return { index };
  });
  const read = await broken.without(files, placing);
  read.forEach(({ index }, place) => bytes.copyWithin(place * area, index * area, (index + 1) * area));
  const inputs = numbersOf(bytes.subarray(0, read.length * area), picture);
  const dataset = (part: Part): ClassificationDataset => {
    const own = read.filter((file) => file.part === part);
    if (own.length === 0) throw unexpected(path, `images for ${part} that can be decoded`, 'only broken ones');
    const [start, count] = [read.findIndex((file) => file.part === part), own.length];
    return {
      task: 'classification',
      inputs: inputs.subarray(start * area, (start + count) * area),
      inputShape,
      count,
      labels: Int32Array.from(own, ({ label }) => label),
      classes,
      files: own.map((file) => relative(path, file.path).replaceAll('\\', '/')),
    };
  };
  const all = { inputs, inputShape, count: read.length };
  const odd = oddPictures(all, read, picture);
  return {
    parts: Object.fromEntries(Object.keys(parts).map((part) => [part, dataset(part as Part)])) as ImageFolder['parts'],
    picture,
    notes: [...notes, ...broken.notes, ...odd],
  };
}

const headed = async ({ path }: ImageFile) => ({ header: await readHeader(path) });

interface Headed extends ImageFile {
  readonly header: ImageHeader;
}

const DRAWING: ImageSize = { rows: 28, columns: 28 };

function preparationOf(files: readonly Headed[], options: ImageOptions): PicturePreparation {
  const { pictures, fit, background } = options;
  const drawing = pictures === 'drawing';
  const size = options.size ?? (drawing ? DRAWING : commonSize(files));
  const grey = drawing || files.every(({ header }) => header.grey);
  return {
    ...plainPreparation(size, options.channels ?? (grey ? 1 : 3)),
    ...(fit && { fit }),
    ...(background !== undefined && { background }),
    ...(drawing && { drawing }),
  };
}

function commonSize(files: readonly Headed[]): ImageSize {
  const [first] = files;
  if (first === undefined) throw new Error('internal: no images');
  const { rows, columns } = first.header;
  for (const { path, header } of files) {
    if (header.rows === rows && header.columns === columns) continue;
    const wanted = `${columns} × ${rows} pixels like ${first.path}, or one size given for all (--image-size)`;
    throw unexpected(path, wanted, `${header.columns} × ${header.rows}`);
  }
  return { rows, columns };
}

function oddPictures(all: Samples, files: readonly ImageFile[], { background }: PicturePreparation): string[] {
  const { areEqual, constant } = findConstantSamples(all);
  const [first] = constant;
  if (areEqual) {
    const remedy =
      first === undefined ? '' : `; what is transparent shows ${background}: --background chooses another colour`;
    return [`all ${all.count} pictures are the same${remedy}`];
  }
  if (first === undefined) return [];
  return [`${constant.length} of ${all.count} pictures are of one colour, such as ${printable(at(files, first).path)}`];
}

/** Handles files that cannot be decoded: the first one ends the reading, unless such files are to be skipped. */
class BrokenFiles {
  readonly #folder: string;
  readonly #skip: boolean;
  readonly #messages: string[] = [];

  constructor(folder: string, skip = false) {
    this.#folder = folder;
    this.#skip = skip;
  }

  /**
   * Lets the workers process the items concurrently. Returns each item merged with its result, without the items whose
   * files are broken.
   */
  async without<T extends object, R extends object>(
    items: readonly T[],
    workers: readonly ((item: T, index: number) => Promise<R>)[],
  ): Promise<(T & R)[]> {
    const done = new Map<number, T & R>();
    const waiting = items.entries();
    const work = async (worker: (item: T, index: number) => Promise<R>) => {
      for (const [index, item] of waiting) {
        try {
          done.set(index, { ...item, ...(await worker(item, index)) });
        } catch (error) {
          this.#skipOrThrow(error);
        }
      }
    };
    await Promise.all(workers.map(work));
    const whole = items.flatMap((_, index) => done.get(index) ?? []);
    if (whole.length === 0) throw unexpected(this.#folder, 'images that can be decoded', this.#messages[0] ?? 'none');
    return whole;
  }

  get notes(): string[] {
    const [first] = this.#messages.sort();
    return first === undefined ? [] : [`broken files skipped: ${this.#messages.length}, such as ${first}`];
  }

  #skipOrThrow(error: unknown): void {
    if (!(error instanceof UserError)) throw error;
    if (!this.#skip) throw new UserError(`${error.message}; --skip-broken leaves such files out`, { cause: error });
    this.#messages.push(error.message);
  }
}
