/** Reads and writes tensors. JSON data is checked against what the model declares, and copied in the same pass. */
import { elementCount } from '../../training/arrays/index.ts';
import {
  bytesOf,
  datatypes,
  elementsOf,
  isDatatype,
  setterOf,
  type Datatype,
  type NumberRange,
  type Tensor,
  type TensorData,
  type TensorInfo,
} from './datatypes.ts';
import { describe, quote, RequestError } from '../errors.ts';
import type { RequestInput } from './protocol.ts';

/**
 * Returns one tensor per declared input, in the model's datatypes.
 * @param bytes the bytes of each input that came as bytes, `undefined` for one with JSON data
 * @throws RequestError when a tensor is missing, unknown or given twice, or does not fit its declaration
 */
export function readInputs(
  inputs: readonly RequestInput[],
  bytes: readonly (Uint8Array | undefined)[],
  declared: readonly TensorInfo[],
  maxBatch: number,
): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  inputs.forEach((input, i) => {
    const info = declaredAs('inputs', input.name, declared);
    if (tensors.has(info.name)) refuse('inputs', `expected each tensor once, got ${info.name} twice`);
    tensors.set(info.name, readTensor(input, bytes[i], info, maxBatch));
  });
  const missing = declared.filter(({ name }) => !tensors.has(name)).map(({ name }) => name);
  if (missing.length > 0) refuse('inputs', `expected tensor ${missing.join(', ')}, got nothing`);
  return tensors;
}

/** @throws RequestError when the model has no tensor of that name */
export function declaredAs(where: string, name: string, declared: readonly TensorInfo[]): TensorInfo {
  const info = declared.find((tensor) => tensor.name === name);
  return info ?? refuse(where, `expected ${declared.map((tensor) => tensor.name).join(' or ')}, got ${quote(name)}`);
}

/** Returns values for JSON. What JSON numbers cannot hold (NaN, infinities, integers beyond 2^53) becomes a string. */
export function jsonData({ datatype, data }: Tensor): (boolean | number | string)[] {
  const toJson = datatype === 'BOOL' ? Boolean : jsonNumber;
  return Array.from<number | bigint, boolean | number | string>(elementsOf({ datatype, data }), toJson);
}

function jsonNumber(value: number | bigint): number | string {
  const number = Number(value);
  const exact = typeof value === 'bigint' ? Number.isSafeInteger(number) : Number.isFinite(value);
  return exact ? number : String(value);
}

function readTensor(
  input: RequestInput,
  bytes: Uint8Array | undefined,
  declared: TensorInfo,
  maxBatch: number,
): Tensor {
  const where = `tensor ${declared.name}`;
  const { shape } = input;
  const { datatype } = declared;
  checkShape(where, shape, declared, maxBatch);
  const range = rangeOf(where, input.datatype, datatype);
  if ((bytes === undefined) === (input.data === undefined)) refuse(where, 'expected either data or binary_data_size');
  const tensor = (data: TensorData): Tensor => ({ datatype, shape, data });
  if (bytes === undefined) {
    return tensor(cast(where, sentIn(where, input.data ?? [], shape), range, declared, shape));
  }
  const from = input.datatype as Datatype;
  const sent = fromBytes(where, bytes, from, shape);
  if (from !== datatype) {
    return tensor(
      cast(where, { rows: [elementsOf({ datatype: from, data: sent })], placeOf: amongBytes }, range, declared, shape),
    );
  }
  if (datatype === 'BOOL' && bytes.some((byte) => byte > 1)) refuse(where, 'expected bytes of 0 or 1');
  return tensor(sent);
}

interface Sent {
  /** The rows, one after the other, hold all values. */
  readonly rows: readonly Iterable<unknown>[];
  /** Names the place where the client wrote the value of this index. */
  readonly placeOf: (index: number) => string;
}

const amongBytes = (index: number): string => `element ${index}`;

/** Copies values into the model's datatype, and checks each. */
function cast(
  where: string,
  { rows, placeOf }: Sent,
  range: NumberRange | null,
  { datatype }: TensorInfo,
  shape: readonly number[],
): TensorData {
  const data = datatypes[datatype].create(elementCount(shape));
  const set = setterOf({ datatype, data });
  let count = 0;
  for (const row of rows) {
    for (const sent of row) {
      const value = typeof sent === 'bigint' ? Number(sent) : sent;
      const number = fits(value, range) ? value : wordOf(value, range);
      if (number === undefined) {
        const got = `${describe(value)}${hint(value, range, datatype)}`;
        refuse(where, `expected ${wording(range)} at ${placeOf(count)}, got ${got}`);
      }
      set(count++, number);
    }
  }
  return data;
}

/**
 * Reads little-endian bytes as numbers. They are copied, because they may begin anywhere in the body, not only where an
 * array can.
 */
function fromBytes(where: string, bytes: Uint8Array, datatype: Datatype, shape: readonly number[]): TensorData {
  const expected = elementCount(shape) * datatypes[datatype].bytes;
  if (bytes.byteLength !== expected) {
    return refuse(where, `expected ${expected} bytes for ${datatype} [${shape.join(', ')}], got ${bytes.byteLength}`);
  }
  const data = datatypes[datatype].create(elementCount(shape));
  bytesOf(data).set(bytes);
  return data;
}

/**
 * Checks a shape. A declared -1 takes any positive size; in first place it is the batch, unless the model says
 * otherwise.
 */
function checkShape(
  where: string,
  shape: readonly number[],
  { shape: declared, anyShape = false, samplesElsewhere = false }: TensorInfo,
  maxBatch: number,
): void {
  const [batch] = shape;
  const same =
    (anyShape || shape.length === declared.length) &&
    shape.every((size, axis) => size > 0 && (anyShape || declared[axis] === -1 || size === declared[axis]));
  if (!same && anyShape) refuse(where, `expected sizes of at least 1, got [${shape.join(', ')}]`);
  if (!same) refuse(where, `expected shape [${declared.join(', ')}], got [${shape.join(', ')}]`);
  if ((anyShape || declared[0] === -1) && !samplesElsewhere && batch !== undefined && batch > maxBatch) {
    throw new RequestError('too large', `${where}: expected a batch of at most ${maxBatch}, got ${batch}`);
  }
}

/**
 * Returns the numbers that both datatypes hold, or `null` for booleans: numbers are cast to numbers, never to booleans.
 */
function rangeOf(where: string, sent: string, wanted: Datatype): NumberRange | null {
  const to = datatypes[wanted].range;
  const from = isDatatype(sent) ? datatypes[sent].range : undefined;
  if (from === null && to === null) return null;
  if (from === undefined || from === null || to === null) {
    const others = to === null ? '' : ' or another numeric datatype';
    return refuse(where, `expected datatype ${wanted}${others}, got ${quote(sent)}`);
  }
  return {
    min: Math.max(from.min, to.min),
    max: Math.min(from.max, to.max),
    integer: from.integer || to.integer,
  };
}

/**
 * Returns the innermost arrays of nested data, or the flat data as a single row. Together they hold as many values as
 * the shape says.
 */
function sentIn(where: string, data: readonly unknown[], shape: readonly number[]): Sent {
  if (Array.isArray(data[0])) {
    return { rows: nestedRows(where, data, shape, 'data'), placeOf: (index) => `data${placeIn(shape, index)}` };
  }
  const expected = elementCount(shape);
  if (data.length === expected) return { rows: [data], placeOf: (index) => `data[${index}]` };
  return refuse(where, `expected ${expected} values for shape [${shape.join(', ')}], got ${data.length}`);
}

/** Returns the place of a row-major index in nested arrays of a shape: `[1][0]` for 3 in `[2, 3]`. */
function placeIn(shape: readonly number[], index: number): string {
  let rest = index;
  const places = shape.toReversed().map((size) => {
    const place = rest % size;
    rest = (rest - place) / size;
    return `[${place}]`;
  });
  return places.toReversed().join('');
}

function nestedRows(
  where: string,
  data: unknown,
  [size, ...inner]: readonly number[],
  path: string,
): readonly (readonly unknown[])[] {
  if (!Array.isArray(data) || data.length !== size) {
    return refuse(where, `expected an array of ${size ?? 0} at ${path}, got ${describe(data)}`);
  }
  const items: readonly unknown[] = data;
  if (inner.length === 0) return [items];
  return items.flatMap((item, i) => nestedRows(where, item, inner, `${path}[${i}]`));
}

function fits(value: unknown, range: NumberRange | null): value is number {
  if (range === null) return typeof value === 'boolean';
  return (
    typeof value === 'number' && value >= range.min && value <= range.max && (!range.integer || Number.isInteger(value))
  );
}

/**
 * Maps the strings that stand for values which JSON has no numbers for, as they are written in answers. null is NaN as
 * well: a missing value that a model may fill in.
 */
const words: ReadonlyMap<unknown, number> = new Map([
  [null, NaN],
  ['NaN', NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
]);

const wordOf = (value: unknown, range: NumberRange | null): number | undefined =>
  range?.integer === false ? words.get(value) : undefined;

function wording(range: NumberRange | null): string {
  if (range === null) return 'true or false';
  const { min, max, integer } = range;
  return integer ? `an integer in [${min}, ${max}]` : `a number in [${min}, ${max}], or null or "NaN" for a gap,`;
}

/** Advises what to do about a gap among integers, which have no value for it. */
function hint(value: unknown, range: NumberRange | null, datatype: Datatype): string {
  if (!words.has(value) || range === null) return '';
  if (datatypes[datatype].range?.integer === false) return ` (gaps need datatype ${datatype})`;
  return ` (the model takes ${datatype}, which has no gaps)`;
}

function refuse(where: string, what: string): never {
  throw new RequestError('malformed', `${where}: ${what}`);
}
