/**
 * NumPy's array files: `.npy` holds one array, `.npz` is a ZIP archive of them. Numbers in C order and little-endian only,
 * which is what `numpy.save` writes of ordinary arrays; nothing that would need Python's pickle.
 *
 * Source: https://numpy.org/doc/2.3/reference/generated/numpy.lib.format.html
 */
import { zipSync } from 'fflate';
import {
  elementCount,
  quote,
  readBytes,
  type TypedArrayConstructor,
  typedArrayOf,
  unexpected,
} from '../files/index.ts';
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
  /** Row-major. Booleans are bytes of 0 and 1. */
  readonly data: NpyData;
}

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

/** @throws {UserError} when the file cannot be read or holds something else. */
export async function readNpy(path: string): Promise<NpyArray> {
  return parseNpy(await readBytes(path), path);
}

/**
 * The arrays of these names, in this order; others are not unpacked.
 *
 * @throws {UserError} when the file cannot be read, or an array is missing or something else.
 */
export async function readNpz<const Names extends readonly string[]>(
  path: string,
  names: Names,
): Promise<{ readonly [N in keyof Names]: NpyArray }> {
  return parseNpz(await readBytes(path), path, names);
}

/** @throws {UserError} when an array is missing or something else. */
export function parseNpz<const Names extends readonly string[]>(
  bytes: Uint8Array,
  where: string,
  names: Names,
): { readonly [N in keyof Names]: NpyArray } {
  const entries = readZip(bytes, where);
  const arrays = names.map((name) => {
    const entry = entries.find((candidate) => candidate.name === `${name}.npy`);
    if (entry === undefined) throw unexpected(where, `an array ${quote(name)}`, listOf(entries));
    return parseNpy(entry.unpack(), `${where}: ${name}`);
  });
  return arrays as { [N in keyof Names]: NpyArray };
}

const listOf = (entries: readonly ZipEntry[]) =>
  entries.map(({ name }) => quote(name.replace(/\.npy$/, ''))).join(', ') || 'none';

/** @throws {UserError} unless the bytes are exactly one array of numbers. */
export function parseNpy(bytes: Uint8Array, where: string): NpyArray {
  const { text, end } = readHeader(bytes, where);
  const dtype = field(text, /'descr': *'([^']*)'/, where);
  const TypedArray = ARRAYS.get(dtype);
  if (TypedArray === undefined) throw unexpected(where, `dtype ${[...ARRAYS.keys()].join(', ')}`, quote(dtype));
  if (field(text, /'fortran_order': *(True|False)/, where) === 'True') {
    throw unexpected(where, 'C order (numpy.ascontiguousarray)', 'Fortran order');
  }
  const shape = (field(text, /'shape': *\(([\d, ]*)\)/, where).match(/\d+/g) ?? []).map(Number);
  const content = bytes.subarray(end);
  const size = elementCount(shape) * TypedArray.BYTES_PER_ELEMENT;
  if (content.length !== size)
    throw unexpected(where, `${size} bytes for ${dtype} [${shape.join(', ')}]`, content.length);
  return { where, shape, data: typedArrayOf(TypedArray, content) };
}

const MAGIC = '\x93NUMPY';

/** NumPy's own limit, `max_header_size`. */
const MAX_HEADER_BYTES = 10_000;

/** The header's text, a Python dictionary, and where it ends. Its length takes 2 bytes in version 1, 4 in versions 2 and 3. */
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
  if (value === undefined) throw unexpected(where, 'an array of plain numbers', quote(header.trim()));
  return value;
}

/** The bytes of a `.npy` file, version 1, as `numpy.save` writes them. */
export function encodeNpy({ shape, data }: Pick<NpyArray, 'shape' | 'data'>): Uint8Array {
  const [dtype] = [...ARRAYS].find(([name, TypedArray]) => name !== '|b1' && data instanceof TypedArray) ?? [''];
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

/** Magic number, version and length, in version 1. */
const FIXED_BYTES = 10;

/** The bytes of a `.npz` file of these arrays, compressed. The same arrays give the same bytes. */
export function encodeNpz(arrays: Readonly<Record<string, Pick<NpyArray, 'shape' | 'data'>>>): Uint8Array {
  const files = Object.entries(arrays).map(([name, array]) => [`${name}.npy`, encodeNpy(array)] as const);
  return zipSync(Object.fromEntries(files), { mtime: EARLIEST });
}

/** That a ZIP archive can name, in whatever time zone it is. */
const EARLIEST = new Date(1980, 0, 1);
