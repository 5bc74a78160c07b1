/**
 * Implements Triton's classification extension: in place of an output its largest values, each as text with its index
 * and its label.
 * https://github.com/triton-inference-server/server/blob/v2.60.0/docs/protocol/extension_classification.md
 */
import { elementCount } from '../../training/arrays/index.ts';
import { concatenate } from '../http/bytes.ts';
import { RequestError } from '../errors.ts';
import { elementsOf, type Tensor, type TensorInfo } from './datatypes.ts';

/** A tensor of the datatype BYTES. */
export interface Texts {
  readonly shape: readonly number[];
  readonly data: readonly string[];
}

/**
 * Returns `value:index:label`, at most `count` for each sample; the label is left out when there is none. The largest
 * value comes first, and of equal ones the first.
 * @throws RequestError when the output does not hold numbers
 */
export function classesOfOutput(
  tensor: Tensor,
  { name, shape: declared }: Pick<TensorInfo, 'name' | 'shape'>,
  count: number,
  labels: readonly string[] = [],
): Texts {
  const { datatype, shape } = tensor;
  if (datatype === 'BOOL') {
    throw new RequestError('malformed', `classification: expected an output of numbers, got ${name} of BOOL`);
  }
  const isBatched = shape.length > 1 || declared[0] === -1;
  const samples = isBatched ? (shape[0] ?? 1) : 1;
  const width = elementCount(isBatched ? shape.slice(1) : shape);
  const values: readonly (number | bigint)[] = Array.from<number | bigint>(elementsOf(tensor));
  const named = labels.length === width ? labels : [];
  const data = Array.from({ length: samples }, (_, sample) =>
    largest(values.slice(sample * width, (sample + 1) * width), count).map(([value, index]) =>
      [textOf(value), index, ...(named[index] === undefined ? [] : [named[index]])].join(':'),
    ),
  );
  const size = Math.min(count, width);
  return { shape: isBatched ? [samples, size] : [size], data: data.flat() };
}

/** Encodes texts as Triton sends them after the JSON: each after its length in bytes, of 32 bits. */
export function bytesOfTexts(texts: readonly string[]): Uint8Array {
  const encoder = new TextEncoder();
  return concatenate(
    texts.flatMap((text) => {
      const bytes = encoder.encode(text);
      const length = new DataView(new ArrayBuffer(4));
      length.setUint32(0, bytes.byteLength, true);
      return [new Uint8Array(length.buffer), bytes];
    }),
  );
}

/** Picks the largest values; NaN comes last. */
function largest(values: readonly (number | bigint)[], count: number): readonly (readonly [number | bigint, number])[] {
  const rank = (value: number | bigint): number | bigint => (Number.isNaN(value) ? -Infinity : value);
  return values
    .map((value, index) => [value, index] as const)
    .toSorted(([a], [b]) => (rank(a) < rank(b) ? 1 : rank(a) > rank(b) ? -1 : 0))
    .slice(0, count);
}

/** Formats a number like C++'s `std::to_string`, which Triton calls. */
function textOf(value: number | bigint): string {
  if (typeof value === 'bigint') return String(value);
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value < 0 ? '-inf' : 'inf';
  // From 1e21 on, `toFixed` writes powers of ten. All numbers of that size are whole.
  return Math.abs(value) < 1e21 ? value.toFixed(6) : `${BigInt(value)}.000000`;
}
