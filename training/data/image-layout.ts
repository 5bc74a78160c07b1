/**
 * Lists the pictures of a folder with their classes and parts. The folder holds a folder for each class (`cat/1.png`,
 * `dog/2.jpg`, also nested deeper), or such folders within one for each part (`train/cat/1.png`, `valid/…`, `test/…`),
 * as Keras and fastai arrange them.
 */
import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { at } from '../arrays/index.ts';
import { cannotRead, printable, quote, unexpected } from '../files/index.ts';
import { sortTexts } from './profile.ts';

export type Part = 'train' | 'validation' | 'test';

export interface ImageFile {
  readonly path: string;
  /** The index of its class; −1 where it lies outside the folders of classes. */
  readonly label: number;
}

export interface ImageListing {
  readonly classes: readonly string[];
  /**
   * The files of each part, in an order that does not depend on the file system. All belong to `train` where the folder
   * has no parts.
   */
  readonly parts: Readonly<Partial<Record<Part, readonly ImageFile[]>>>;
  /** Tells the user what was left out. */
  readonly notes: readonly string[];
}

const PICTURE = /\.(png|jpe?g|jfif|webp|tiff?|gif|bmp)$/i;
const formats = 'PNG, JPEG, WebP, TIFF, GIF or BMP';

const roles: Readonly<Record<Part, RegExp>> = {
  train: /^train(ing)?([_-]?set)?$/i,
  validation: /^val(id(ation)?)?([_-]?set)?$/i,
  test: /^test(ing)?([_-]?set)?$/i,
};

/**
 * Lists the pictures of a folder.
 *
 * @param needsLabel where true, refuses a folder that has pictures but no folders of classes; where false, lists such
 * pictures without labels
 * @throws UserError where there is no folder with pictures, or a part has a class that the training part lacks
 */
export async function listImages(root: string, needsLabel = true): Promise<ImageListing> {
  const left = new LeftOut(root);
  const { path, folders, files: loose } = await enter(root, left);
  const parts = partFolders(path, folders);
  if (!parts) {
    const { classes, files } = await classesIn(path, folders, left);
    if (classes.length > 0) return { classes, parts: { train: files }, notes: left.notes };
    const unlabelled = needsLabel ? [] : loose.filter((file) => PICTURE.test(file)).sort();
    if (unlabelled.length > 0) {
      left.others = left.others.filter((file) => !unlabelled.includes(file));
      return { classes, parts: { train: unlabelled.map((file) => ({ path: file, label: -1 })) }, notes: left.notes };
    }
    const isFlat = loose.some((file) => PICTURE.test(file));
    const got = isFlat ? 'images in no folder, which evaluate --predictions answers' : 'no folders';
    throw unexpected(path, `a folder of images (${formats}) for each class`, folders.length > 0 ? 'none' : got);
  }
  const others = folders.filter((name) => !Object.values(parts).includes(name));
  left.unused.push(...others.map((name) => join(path, name)));
  return { ...(await readParts(path, parts, left)), notes: left.notes };
}

/**
 * Opens a folder. Where its only content is one folder that has folders in turn, it opens that one, since archives are
 * often unpacked like this.
 */
async function enter(path: string, left: LeftOut): Promise<Opened & { readonly path: string }> {
  const { folders, files } = await open(path, left);
  const [only, another] = folders;
  if (only !== undefined && another === undefined && files.length === 0) {
    const inside = join(path, only);
    if ((await list(inside)).some((entry) => entry.isDirectory() && !isHidden(entry.name))) return enter(inside, left);
  }
  left.others.push(...files);
  return { path, folders, files };
}

/** The names of the folders of the parts that there are. */
type PartFolders = Partial<Record<Part, string>> & { readonly train: string };

/** Returns the folder of each part. It is undefined unless there is one for `train` and one for another part. */
function partFolders(path: string, folders: readonly string[]): PartFolders | undefined {
  const found: Partial<Record<Part, string>> = {};
  for (const [part, pattern] of Object.entries(roles) as [Part, RegExp][]) {
    const [name, another] = folders.filter((folder) => pattern.test(folder));
    if (name === undefined) continue;
    if (another !== undefined) throw unexpected(path, `one folder for ${part}`, `${quote(name)} and ${quote(another)}`);
    found[part] = name;
  }
  const { train, ...others } = found;
  return train !== undefined && Object.keys(others).length > 0 ? { train, ...others } : undefined;
}

async function readParts(path: string, folders: PartFolders, left: LeftOut) {
  const train = join(path, folders.train);
  const { classes, files } = await classesIn(train, (await open(train, left)).folders, left);
  if (classes.length === 0) throw unexpected(train, `a folder of images (${formats}) for each class`, 'none');
  const parts: Partial<Record<Part, readonly ImageFile[]>> = { train: files };
  for (const part of ['validation', 'test'] as const) {
    const name = folders[part];
    if (name === undefined) continue;
    const folder = join(path, name);
    const found = await classesIn(folder, (await open(folder, left)).folders, left);
    const stranger = found.classes.find((other) => !classes.includes(other));
    if (stranger !== undefined) {
      throw unexpected(join(folder, stranger), `a class that ${train} has (${classes.join(', ')})`, 'another');
    }
    if (found.files.length === 0) left.unused.push(folder);
    else parts[part] = found.files.map((file) => ({ ...file, label: classes.indexOf(at(found.classes, file.label)) }));
  }
  return { classes, parts };
}

/** Returns the classes (the folders that hold pictures) and their files. */
async function classesIn(path: string, folders: readonly string[], left: LeftOut) {
  const sorted = sortTexts(folders);
  const listed = await Promise.all(
    sorted.map(async (name) => ({ name, paths: await imagesIn(join(path, name), left) })),
  );
  const filled = listed.filter(({ paths }) => paths.length > 0);
  left.empty.push(...listed.filter(({ paths }) => paths.length === 0).map(({ name }) => join(path, name)));
  return {
    classes: filled.map(({ name }) => name),
    files: filled.flatMap(({ paths }, label) => paths.map((file): ImageFile => ({ path: file, label }))),
  };
}

async function imagesIn(folder: string, left: LeftOut): Promise<string[]> {
  const { folders, files } = await open(folder, left);
  const images = files.filter((path) => PICTURE.test(path));
  left.others.push(...files.filter((path) => !PICTURE.test(path)));
  const deeper = await Promise.all(folders.sort().map((name) => imagesIn(join(folder, name), left)));
  return [...images.sort(), ...deeper.flat()];
}

interface Opened {
  /** The names of the folders in it. */
  readonly folders: string[];
  /** The paths of the files in it. */
  readonly files: string[];
}

/** Lists the content of a folder without hidden entries and what archives leave behind. */
async function open(path: string, left: LeftOut): Promise<Opened> {
  const entries = await list(path);
  const isFolder = (entry: Dirent) => entry.isDirectory();
  left.hidden.push(
    ...entries.filter((entry) => isFolder(entry) && isHidden(entry.name)).map(({ name }) => join(path, name)),
  );
  const visible = entries.filter(({ name }) => !isHidden(name));
  return {
    folders: visible.filter(isFolder).map(({ name }) => name),
    files: visible.filter((entry) => !isFolder(entry)).map(({ name }) => join(path, name)),
  };
}

const isHidden = (name: string): boolean => name.startsWith('.') || name === '__MACOSX';

async function list(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    throw cannotRead(folder, error);
  }
}

/** Collects what was found and not used. */
class LeftOut {
  readonly hidden: string[] = [];
  readonly empty: string[] = [];
  readonly unused: string[] = [];
  others: string[] = [];
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  get notes(): string[] {
    const [other, ...more] = this.others.sort();
    return [
      ...this.#line('left out', this.hidden),
      ...this.#line('left out, without pictures', this.empty),
      ...this.#line('left out, without a folder for each class of train', this.unused),
      ...(other === undefined
        ? []
        : [`left out, files that are no pictures: ${more.length + 1}, such as ${this.#name(other)}`]),
    ];
  }

  #line(what: string, paths: readonly string[]): string[] {
    return paths.length > 0
      ? [
          `${what}: ${paths
            .map((path) => this.#name(path))
            .sort()
            .join(', ')}`,
        ]
      : [];
  }

  #name(path: string): string {
    return printable(relative(this.#root, path));
  }
}
