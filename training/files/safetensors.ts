/**
 * Reads and writes the safetensors format strictly. This module maps bytes to tensors and back; `training/checkpoint`
 * reads and writes the files.
 *
 *   8 bytes   N, unsigned, little-endian
 *   N bytes   JSON in UTF-8: {"__metadata__": {string: string}, name: {"dtype", "shape", "data_offsets": [begin, end]}, …}
 *   the rest  the tensors, row-major, little-endian, without gaps
 *
 * Everything that a header claims is checked before any tensor exists, so a parsed file needs no further checks. Like
 * ONNX Runtime's binaries, this code runs on little-endian machines only.
 *
 * Source: https://github.com/huggingface/safetensors/blob/v0.6.2/README.md#format and, for the order of tensors and the
 * padding, `prepare` in safetensors/src/tensor.rs there.
 */
import { elementCount, present } from '../arrays/index.ts';
import { quote, unexpected } from './errors.ts';
import { recognize } from './recognize.ts';
import { typedArrayOf, type TypedArrayConstructor } from './binary-numbers.ts';

/** Maps each element type to the array that holds it. BOOL takes one byte per element; 0 is false. */
interface DtypeArrays {
  readonly BOOL: Uint8Array;
  readonly U8: Uint8Array;
  /** Half precision and bfloat16 are held as their bits. */
  readonly F16: Uint16Array;
  readonly BF16: Uint16Array;
  readonly I32: Int32Array;
  readonly F32: Float32Array;
  readonly F64: Float64Array;
  readonly I64: BigInt64Array;
}

export type Dtype = keyof DtypeArrays;

export type Tensor = {
  [D in Dtype]: { readonly dtype: D; readonly shape: readonly number[]; readonly data: DtypeArrays[D] };
}[Dtype];

export interface Safetensors {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * The array constructors, in the order in which the reference implementation lays out tensors: largest alignment first.
 */
const ARRAYS: { readonly [D in Dtype]: TypedArrayConstructor<DtypeArrays[D]> } = {
  I64: BigInt64Array,
  F64: Float64Array,
  F32: Float32Array,
  I32: Int32Array,
  BF16: Uint16Array,
  F16: Uint16Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
};

const DTYPES = Object.keys(ARRAYS) as readonly Dtype[];

const LENGTH_BYTES = 8;
/** The reference implementation's limit. */
const MAX_HEADER_BYTES = 100_000_000;
const OPENING_BRACE = 0x7b;
const SPACE = 0x20;
const METADATA_KEY = '__metadata__';

/**
 * Parses a safetensors file. Tensors are views of `bytes` where the alignment allows it, and copies elsewhere.
 *
 * @param where names the bytes in messages, usually a path
 * @throws UserError for the first violation of the format, naming the tensor
 */
export function parseSafetensors(bytes: Uint8Array, where: string): Safetensors {
  const dataStart = LENGTH_BYTES + headerLength(bytes, where);
  const { entries, metadata } = parseHeader(bytes.subarray(LENGTH_BYTES, dataStart), where);
  checkLayout(entries, bytes.length - dataStart, where);
  const tensors = new Map(entries.map((entry) => [entry.name, tensorOf(entry, bytes, dataStart)]));
  return { tensors, metadata };
}

/** Returns the bytes of a safetensors file. The same tensors and metadata give the same bytes, whatever their order. */
export const serializeSafetensors = (
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array => concatenated(safetensorsParts(tensors, metadata));

/**
 * Returns the same bytes in parts. Those of the tensors are views, since a copy of 50 MB takes as long as a few steps.
 */
export function safetensorsParts(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = {},
): readonly Uint8Array[] {
  const sorted = [...tensors].sort(
    ([nameA, a], [nameB, b]) => DTYPES.indexOf(a.dtype) - DTYPES.indexOf(b.dtype) || compareUtf8(nameA, nameB),
  );
  const contents = sorted.map(([name, tensor]) => bytesOf(name, tensor));
  const header = paddedHeader(sorted, metadata);
  const length = new DataView(new ArrayBuffer(LENGTH_BYTES));
  length.setBigUint64(0, BigInt(header.length), true);
  return [new Uint8Array(length.buffer), header, ...contents];
}

interface Entry {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

function headerLength(bytes: Uint8Array, where: string): number {
  const { kind, what } = recognize(bytes) ?? {};
  if (what !== undefined && !['empty', 'zip', 'safetensors'].includes(kind ?? ''))
    throw unexpected(where, 'a safetensors file', what);
  if (bytes.length < LENGTH_BYTES) throw unexpected(where, 'a safetensors file of at least 8 bytes', bytes.length);
  const announced = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  const max = Math.min(MAX_HEADER_BYTES, bytes.length - LENGTH_BYTES);
  if (announced <= BigInt(max)) return Number(announced);
  // A ZIP archive, or a pickle as PyTorch wrote it before version 1.6.
  if (startsWith(bytes, 0x50, 0x4b, 3, 4) || startsWith(bytes, 0x80)) {
    const help = 'safetensors.torch.save_file(model.state_dict(), "model.safetensors") writes one';
    throw unexpected(where, `a safetensors file (${help})`, 'what torch.save writes');
  }
  throw unexpected(where, `a safetensors file with a header of at most ${max} bytes`, `${announced}`);
}

const startsWith = (bytes: Uint8Array, ...magic: readonly number[]): boolean =>
  magic.every((byte, i) => bytes[i] === byte);

function parseHeader(bytes: Uint8Array, where: string) {
  const fields = Object.entries(parseObject(bytes, `${where}: header`));
  const metadata = fields.find(([name]) => name === METADATA_KEY)?.[1] ?? {};
  const entries = fields.filter(([name]) => name !== METADATA_KEY);
  return {
    metadata: checkMetadata(metadata, where),
    entries: entries.map(([name, value]) => parseEntry(name, value, `${where}: tensor ${quote(name)}`)),
  };
}

function parseObject(bytes: Uint8Array, where: string): Record<string, unknown> {
  const [first] = bytes;
  if (first !== OPENING_BRACE) {
    throw unexpected(where, 'a JSON object, starting with {', first === undefined ? 'nothing' : `byte ${first}`);
  }
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    value = JSON.parse(text);
  } catch {
    throw unexpected(where, 'JSON in UTF-8', 'something else');
  }
  checkKeys(text, where);
  return value as Record<string, unknown>;
}

/**
 * Refuses valid JSON that `JSON.parse` would silently read wrongly: it keeps only the last of duplicate keys, and V8
 * misreads keys with escapes (https://github.com/nodejs/node/issues/63785).
 */
function checkKeys(json: string, where: string): void {
  const objects: Set<string>[] = [];
  let opened = -1;
  let text = '';
  for (const { 0: token, index } of json.matchAll(/\\.|["{}:]/g)) {
    if (token === '"' && opened < 0) opened = index;
    else if (token === '"') {
      text = json.slice(opened + 1, index);
      opened = -1;
    } else if (opened >= 0) continue;
    else if (token === '{') objects.push(new Set());
    else if (token === '}') objects.pop();
    else {
      if (text.includes('\\')) throw unexpected(where, 'names without escapes', quote(text));
      if (objects.at(-1)?.has(text)) throw unexpected(where, 'different names', `${quote(text)} twice`);
      objects.at(-1)?.add(text);
    }
  }
}

function checkMetadata(value: unknown, where: string): Readonly<Record<string, string>> {
  if (!isObject(value)) throw unexpected(`${where}: ${METADATA_KEY}`, 'an object', describe(value));
  const wrong = Object.entries(value).find(([, text]) => typeof text !== 'string');
  if (wrong) throw unexpected(`${where}: ${METADATA_KEY} ${quote(wrong[0])}`, 'a string', describe(wrong[1]));
  return value as Record<string, string>;
}

function parseEntry(name: string, value: unknown, where: string): Entry {
  if (!isObject(value)) throw unexpected(where, 'an object', describe(value));
  const { dtype, shape, data_offsets: offsets, ...others } = value;
  const other = Object.keys(others)[0];
  if (other !== undefined) throw unexpected(where, 'dtype, shape and data_offsets only', quote(other));
  if (!isDtype(dtype)) throw unexpected(where, `dtype ${DTYPES.join(', ')}`, describe(dtype));
  if (!isSizes(shape)) throw unexpected(where, 'a shape of non-negative integers', describe(shape));
  if (!isSizes(offsets)) throw unexpected(where, 'data_offsets [begin, end]', describe(offsets));
  const [begin, end, ...more] = offsets;
  if (begin === undefined || end === undefined || more.length > 0 || begin > end) {
    throw unexpected(where, 'data_offsets [begin, end]', describe(offsets));
  }
  const size = elementCount(shape) * ARRAYS[dtype].BYTES_PER_ELEMENT;
  if (size !== end - begin) {
    throw unexpected(where, `${size} bytes for ${dtype} ${describe(shape)}`, end - begin);
  }
  return { name, dtype, shape, begin, end };
}

/** Checks that the tensors cover the data exactly: no gap, no overlap, nothing before or behind them. */
function checkLayout(entries: readonly Entry[], dataLength: number, where: string): void {
  const ordered = [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end);
  let covered = 0;
  for (const { name, begin, end } of ordered) {
    if (begin !== covered) throw unexpected(`${where}: tensor ${quote(name)}`, `data at offset ${covered}`, begin);
    covered = end;
  }
  if (covered !== dataLength) throw unexpected(where, `${covered} bytes of tensor data`, dataLength);
}

function tensorOf({ dtype, shape, begin, end }: Entry, bytes: Uint8Array, dataStart: number): Tensor {
  const data = typedArrayOf<Tensor['data']>(ARRAYS[dtype], bytes.subarray(dataStart + begin, dataStart + end));
  return { dtype, shape, data } as Tensor;
}

function bytesOf(name: string, { shape, data }: Tensor): Uint8Array {
  if (elementCount(shape) !== data.length || name === METADATA_KEY) {
    throw new Error(
      `internal: tensor ${quote(name)} [${shape.join(', ')}] cannot be saved with ${data.length} elements`,
    );
  }
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/**
 * Returns the header as JSON, padded to a multiple of 8 bytes. It is built by hand, since a JavaScript object would
 * move keys such as "0" to the front.
 */
function paddedHeader(tensors: readonly [string, Tensor][], metadata: Readonly<Record<string, string>>): Uint8Array {
  let begin = 0;
  const entries = tensors.map(([name, { dtype, shape, data }]): [string, string] => {
    const end = begin + data.byteLength;
    const entry = JSON.stringify({ dtype, shape, data_offsets: [begin, end] });
    begin = end;
    return [name, entry];
  });
  const pairs = Object.entries(metadata).sort(([a], [b]) => compareUtf8(a, b));
  if (pairs.length > 0) {
    entries.unshift([METADATA_KEY, jsonObject(pairs.map(([key, text]) => [key, JSON.stringify(text)]))]);
  }
  const json = new TextEncoder().encode(jsonObject(entries));
  const padded = new Uint8Array(Math.ceil(json.length / 8) * 8).fill(SPACE);
  padded.set(json);
  return padded;
}

function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function jsonObject(fields: readonly (readonly [key: string, json: string])[]): string {
  return `{${fields.map(([key, json]) => `${jsonKey(key)}:${json}`).join(',')}}`;
}

/** Returns a key as JSON. Only keys that can be read back are written, see `checkKeys`. */
function jsonKey(key: string): string {
  const json = JSON.stringify(key);
  if (json.includes('\\')) throw new Error(`internal: ${json} cannot be a name in a safetensors file`);
  return json;
}

/**
 * Compares strings by their UTF-8 bytes, which is the order of their code points. Comparing UTF-16 code units gives
 * another order beyond U+FFFF.
 */
function compareUtf8(a: string, b: string): number {
  const [x, y] = [a, b].map((text) => new TextEncoder().encode(text)) as [Uint8Array, Uint8Array];
  const at = x.findIndex((byte, i) => byte !== y[i]);
  // A string that ends comes before those that continue it.
  return at < 0 ? x.length - y.length : present(x[at]) - (y[at] ?? -1);
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isDtype = (value: unknown): value is Dtype => DTYPES.some((dtype) => dtype === value);

const isSizes = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);

/** Describes a JSON value in a message. Short flat lists are shown as they are, other structures only by their kind. */
function describe(value: unknown): string {
  if (value === undefined) return 'none';
  if (Array.isArray(value) && value.length <= 8 && value.every((item) => typeof item === 'number')) {
    return JSON.stringify(value);
  }
  if (typeof value === 'string') return quote(value);
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return isObject(value) ? 'an object' : JSON.stringify(value);
}
