/**
 * NumPy's array files: `.npy` holds one array, `.npz` is a ZIP archive of them. Numbers and texts are read, in either
 * byte order and either order of axes. Nothing that would need Python's pickle is read.
 *
 * Source: https://numpy.org/doc/2.3/reference/generated/numpy.lib.format.html
 */
import { zipSync } from 'fflate';
import { elementCount, present } from '../arrays/index.ts';
import { fromHalves, quote, readBytes, type TypedArrayConstructor, typedArrayOf, unexpected } from '../files/index.ts';
import { readZip, type ZipEntry } from './zip.ts';

export type NpyData =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | BigUint64Array
  | BigInt64Array
  | Float32Array
  | Float64Array;

export interface NpyArray {
  /** Names the array in messages, usually its file. */
  readonly where: string;
  readonly shape: readonly number[];
  /** Row-major. Booleans are bytes of 0 and 1, half precision is float32. */
  readonly data: NpyData;
}

export interface NpyTexts extends Omit<NpyArray, 'data'> {
  readonly data: readonly string[];
}

/** Maps NumPy's type names to arrays. Names with `>` in place of `<` are big-endian. */
const ARRAYS = new Map<string, TypedArrayConstructor<NpyData>>([
  ['|b1', Uint8Array],
  ['|u1', Uint8Array],
  ['|i1', Int8Array],
  ['<u2', Uint16Array],
  ['<i2', Int16Array],
  ['<u4', Uint32Array],
  ['<i4', Int32Array],
  ['<u8', BigUint64Array],
  ['<i8', BigInt64Array],
  ['<f4', Float32Array],
  ['<f8', Float64Array],
]);

/**
 * Reads an array of numbers.
 *
 * @throws UserError when the file cannot be read or holds something else
 */
export async function readNpy(path: string): Promise<NpyArray> {
  return parseNpy(await readBytes(path), path);
}

/**
 * Reads an array of numbers or texts.
 *
 * @throws UserError as `readNpy`
 */
export async function readNpyOrTexts(path: string): Promise<NpyArray | NpyTexts> {
  return parseNpyOrTexts(await readBytes(path), path);
}

/** An archive of arrays, which are unpacked on request. */
export interface Npz {
  readonly names: readonly string[];
  /** @throws UserError when the array is missing or something else */
  readonly numbers: (name: string) => NpyArray;
  readonly numbersOrTexts: (name: string) => NpyArray | NpyTexts;
}

/**
 * Opens an archive of arrays.
 *
 * @throws UserError when the file cannot be read or is not an archive
 */
export async function openNpz(path: string): Promise<Npz> {
  return npzOf(await readBytes(path), path);
}

function npzOf(bytes: Uint8Array, where: string): Npz {
  const entries = readZip(bytes, where);
  const unpack = <A>(name: string, parse: (bytes: Uint8Array, where: string) => A): A => {
    const entry = entries.find((candidate) => candidate.name === `${name}.npy`);
    if (entry === undefined) throw unexpected(where, `an array ${quote(name)}`, listOf(entries));
    return parse(entry.unpack(), `${where}: ${name}`);
  };
  return {
    names: entries
      .map(({ name }) => name)
      .filter((name) => name.endsWith('.npy'))
      .map(withoutEnding),
    numbers: (name) => unpack(name, parseNpy),
    numbersOrTexts: (name) => unpack(name, parseNpyOrTexts),
  };
}

/**
 * Reads the arrays of these names, in this order; others are not unpacked.
 *
 * @throws UserError when the file cannot be read, or an array is missing or something else
 */
export async function readNpz<const Names extends readonly string[]>(
  path: string,
  names: Names,
): Promise<{ readonly [N in keyof Names]: NpyArray }> {
  return parseNpz(await readBytes(path), path, names);
}

/**
 * Parses the arrays of these names, in this order.
 *
 * @throws UserError when an array is missing or something else
 */
export function parseNpz<const Names extends readonly string[]>(
  bytes: Uint8Array,
  where: string,
  names: Names,
): { readonly [N in keyof Names]: NpyArray } {
  const npz = npzOf(bytes, where);
  return names.map(npz.numbers) as { [N in keyof Names]: NpyArray };
}

const withoutEnding = (name: string): string => name.replace(/\.npy$/, '');

const listOf = (entries: readonly ZipEntry[]) =>
  entries.map(({ name }) => quote(withoutEnding(name))).join(', ') || 'none';

/**
 * Parses an array of numbers.
 *
 * @throws UserError unless the bytes are exactly one array of numbers
 */
export function parseNpy(bytes: Uint8Array, where: string): NpyArray {
  const array = parseNpyOrTexts(bytes, where);
  if (isTexts(array)) throw unexpected(where, 'numbers', 'texts');
  return array;
}

export const isTexts = (array: NpyArray | NpyTexts): array is NpyTexts => Array.isArray(array.data);

/**
 * Parses an array of numbers or texts.
 *
 * @throws UserError unless the bytes are exactly one array of numbers or texts
 */
export function parseNpyOrTexts(bytes: Uint8Array, where: string): NpyArray | NpyTexts {
  const { text, end } = readHeader(bytes, where);
  const dtype = field(text, /'descr': *'([^']*)'/, where);
  const kind = kindOf(dtype);
  if (kind === undefined) throw unexpected(where, wanted, quote(dtype));
  const isFortran = field(text, /'fortran_order': *(True|False)/, where) === 'True';
  const shape = (field(text, /'shape': *\(([\d, ]*)\)/, where).match(/\d+/g) ?? []).map(Number);
  const content = bytes.subarray(end);
  const size = elementCount(shape) * kind.bytes;
  if (content.length !== size)
    throw unexpected(where, `${size} bytes for ${dtype} [${shape.join(', ')}]`, content.length);
  const data = kind.read(dtype.startsWith('>') ? reversed(content, kind.unit) : content);
  return { where, shape, data: isFortran ? inRowOrder(data, shape) : data } as NpyArray | NpyTexts;
}

/** Describes how the elements of an array are stored in a file. */
interface Kind {
  /** The size of an element in bytes. */
  readonly bytes: number;
  /** The number of bytes that byte order reverses: a number, or a character of a text. */
  readonly unit: number;
  readonly read: (content: Uint8Array) => NpyData | string[];
}

/** Matches the type of texts, whose length is at least one character. */
const TEXT = /^[<>|](U|S)([1-9]\d*)$/;
const wanted = `numbers or texts (${[...ARRAYS.keys()].join(', ')}, <f2, <U…, |S…, or > for <)`;

function kindOf(dtype: string): Kind | undefined {
  const name = dtype.replace(/^>/, '<').replace(/^[<|](?=[bui]1$)/, '|');
  if (name === '<f2') return { bytes: 2, unit: 2, read: (content) => fromHalves(typedArrayOf(Uint16Array, content)) };
  const [, letter, length] = TEXT.exec(dtype) ?? [];
  if (letter !== undefined) {
    const unit = letter === 'U' ? 4 : 1;
    const bytes = unit * Number(length);
    return {
      bytes,
      unit,
      read: (content) => (unit === 4 ? readTexts(content, bytes) : readBytestrings(content, bytes)),
    };
  }
  const TypedArray = ARRAYS.get(name);
  if (TypedArray === undefined) return undefined;
  const { BYTES_PER_ELEMENT: bytes } = TypedArray;
  return { bytes, unit: bytes, read: (content) => typedArrayOf(TypedArray, content) };
}

function reversed(content: Uint8Array, unit: number): Uint8Array {
  const result = content.slice();
  for (let at = 0; at < result.length; at += unit) result.subarray(at, at + unit).reverse();
  return result;
}

/** Reads texts in UTF-32, padded with zeros. */
function readTexts(content: Uint8Array, bytes: number): string[] {
  const codes = typedArrayOf(Uint32Array, content);
  return elements(codes, bytes / 4).map((signs) =>
    signs.map((code) => (code > 0x10ffff ? '\u{fffd}' : String.fromCodePoint(code))).join(''),
  );
}

/** Reads byte strings, padded with zeros, as UTF-8, which includes ASCII. */
const readBytestrings = (content: Uint8Array, bytes: number): string[] =>
  elements(content, bytes).map((codes) => Buffer.from(codes).toString('utf8'));

/** Returns the character codes of each text, without the zeros after it. */
function elements(codes: Uint8Array | Uint32Array, length: number): number[][] {
  return Array.from({ length: codes.length / length }, (_, i) => {
    const own = [...codes.subarray(i * length, (i + 1) * length)];
    return own.slice(0, own.findLastIndex((code) => code !== 0) + 1);
  });
}

/** Reorders an array whose first axis varies fastest (Fortran order) to row-major order. */
function inRowOrder(data: NpyData | string[], shape: readonly number[]): NpyData | string[] {
  const from = data as ArrayLike<unknown>;
  const to = data.slice();
  const strides = shape.map((_, axis) => elementCount(shape.slice(0, axis)));
  const place = shape.map(() => 0);
  for (let i = 0, at = 0; i < from.length; i++) {
    (to as unknown[])[i] = from[at];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const [next, size, stride] = [present(place[axis]) + 1, present(shape[axis]), present(strides[axis])];
      at += stride;
      place[axis] = next;
      if (next < size) break;
      at -= size * stride;
      place[axis] = 0;
    }
  }
  return to;
}

const MAGIC = '\x93NUMPY';

/** NumPy's own limit, `max_header_size`. */
const MAX_HEADER_BYTES = 10_000;

/**
 * Returns the header's text, a Python dictionary, and the offset after it. The header's length takes 2 bytes in
 * version 1, and 4 in versions 2 and 3.
 */
function readHeader(bytes: Uint8Array, where: string) {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const version = file[MAGIC.length] ?? 0;
  if (file.toString('latin1', 0, MAGIC.length) !== MAGIC || version < 1 || version > 3 || file.length < 12) {
    throw unexpected(where, 'a NumPy array file of version 1 to 3', 'something else');
  }
  const [start, length] = version === 1 ? [10, file.readUInt16LE(8)] : [12, file.readUInt32LE(8)];
  const end = start + length;
  if (length > MAX_HEADER_BYTES) throw unexpected(where, `a header of at most ${MAX_HEADER_BYTES} bytes`, length);
  if (end > file.length) throw unexpected(where, `${end} bytes of header`, file.length);
  return { text: file.toString('latin1', start, end), end };
}

function field(header: string, pattern: RegExp, where: string): string {
  const value = pattern.exec(header)?.[1];
  if (value === undefined) throw unexpected(where, 'an array of plain numbers or texts', quote(header.trim()));
  return value;
}

/** Returns the bytes of a `.npy` file, version 1, as `numpy.save` writes them. */
export function encodeNpy({ shape, data }: Pick<NpyArray, 'shape' | 'data'>): Uint8Array {
  const [dtype] = present([...ARRAYS].find(([name, TypedArray]) => name !== '|b1' && data instanceof TypedArray));
  const sizes = shape.length === 1 ? `${shape.join()},` : shape.join(', ');
  const text = `{'descr': '${dtype}', 'fortran_order': False, 'shape': (${sizes}), }`;
  // The numbers begin at a multiple of 64 bytes.
  const length = Math.ceil((FIXED_BYTES + text.length + 1) / 64) * 64 - FIXED_BYTES;
  const header = Buffer.alloc(FIXED_BYTES + length, ' ');
  header.write(MAGIC, 'latin1');
  header.set([1, 0], MAGIC.length);
  header.writeUInt16LE(length, 8);
  header.write(text, FIXED_BYTES, 'latin1');
  header.write('\n', header.length - 1);
  return Buffer.concat([header, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]);
}

/** The size of the magic number, the version and the header's length in version 1. */
const FIXED_BYTES = 10;

/** Returns the bytes of a compressed `.npz` file. The same arrays give the same bytes. */
export function encodeNpz(arrays: Readonly<Record<string, Pick<NpyArray, 'shape' | 'data'>>>): Uint8Array {
  const files = Object.entries(arrays).map(([name, array]) => [`${name}.npy`, encodeNpy(array)] as const);
  return zipSync(Object.fromEntries(files), { mtime: EARLIEST });
}

/** The earliest date that a ZIP archive can hold, in any time zone. */
const EARLIEST = new Date(1980, 0, 1);
