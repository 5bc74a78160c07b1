/**
 * Takes weights out of a snapshot, to be stored beside the module in the type that they were rounded to; the image puts
 * the pieces back before it runs. They are found in memory by their values, in the two orders in which ONNX Runtime
 * keeps them: the file's, and packed. Weights that are kept in another order stay in the module's data, in single
 * precision.
 */

import { present } from '../../../training/arrays/index.ts';
import { bitsOfHalf } from '../../served/halfs.ts';
import type { Scaled, Weight } from '../../served/round-weights.ts';
import { padded, panelColumns, panelRows, pieceAlignment } from '../runtime/stored-weights.ts';
import type { WeightPiece } from '../runtime/stored-weights.ts';

/** The pieces that an image writes into its memory, and the bytes that they are read from. */
export interface StoredWeights {
  readonly pieces: readonly WeightPiece[];
  readonly bytes: Uint8Array;
}

/**
 * Takes weights out of memory.
 *
 * @param memory gets zeros in place of the weights
 * @param isOwn is true for memory of the weights' own sessions, since others may hold the same numbers
 */
export function takeWeights(
  memory: Uint8Array,
  weights: readonly Weight[],
  isOwn: (address: number, bytes: number) => boolean,
): StoredWeights {
  const found = weights.flatMap((weight) =>
    ordersOf(weight).flatMap((order) =>
      placesOf(memory, order.values)
        .filter((address) => isOwn(address, order.values.byteLength))
        .map((address) => take(memory, address, order)),
    ),
  );
  return {
    pieces: found.map(({ piece }) => piece),
    bytes: Buffer.concat(found.flatMap(({ stored }) => [...stored, gapAfter(stored)])),
  };
}

/** A weight in an order in which memory may hold it. */
interface Order {
  readonly values: Float32Array;
  /** `layout` describes how the numbers are stored, but not at which address. */
  readonly layout: { readonly outer: number; readonly channels: number; readonly inner: number } | PackedMatrix;
  readonly scaled?: Scaled;
}

interface PackedMatrix {
  readonly rows: number;
  readonly channels: number;
}

function ordersOf(weight: Weight): readonly Order[] {
  const { values, scaled, outer, channels, inner } = weight;
  const own: Order = { values, layout: { outer, channels, inner }, ...(scaled && { scaled }) };
  // With only one other dimension beside the channels, it is a matrix.
  return outer === 1 || inner === 1 ? [own, packedOrder(weight)] : [own];
}

function packedOrder({ values, scaled, outer, channels, inner }: Weight): Order {
  const layout = { rows: Math.max(outer, inner), channels };
  const at = outer === 1 ? (row: number, channel: number) => channel * inner + row : undefined;
  const indices = packedIndices(layout, at ?? ((row, channel) => row * channels + channel));
  const [floats, integers] = [new Float32Array(indices.length), new Int8Array(indices.length)];
  indices.forEach((index, i) => {
    if (index < 0) return;
    floats[i] = present(values[index]);
    if (scaled) integers[i] = present(scaled.integers[index]);
  });
  return { values: floats, layout, ...(scaled && { scaled: { integers, scales: scaled.scales } }) };
}

/**
 * Returns the index in the file of each number of a packed matrix, −1 for padding.
 * Source: https://github.com/microsoft/onnxruntime/blob/v1.30.0/onnxruntime/core/mlas/lib/sgemm.cpp (MlasGemmPackB)
 */
function packedIndices({ rows, channels }: PackedMatrix, at: (row: number, channel: number) => number): Int32Array {
  const indices = new Int32Array(rows * padded(channels)).fill(-1);
  let i = 0;
  for (let from = 0; from < rows; from += panelRows) {
    for (let panel = 0; panel < channels; panel += panelColumns) {
      for (let row = from; row < Math.min(from + panelRows, rows); row++) {
        for (let channel = panel; channel < panel + panelColumns; channel++, i++) {
          if (channel < channels) indices[i] = at(row, channel);
        }
      }
    }
  }
  return indices;
}

/** The number of a weight's bytes that are searched for before all of it is compared. */
const probeBytes = 64;

/** Returns the addresses at which memory holds these numbers. */
function placesOf(memory: Uint8Array, values: Float32Array): readonly number[] {
  const [all, wanted] = [Buffer.from(memory.buffer, memory.byteOffset, memory.byteLength), bytesOf(values)];
  const first = wanted.findIndex((byte) => byte !== 0) & -4;
  const places: number[] = [];
  // Zeros need not be taken out of memory.
  if (first < 0) return places;
  const probe = wanted.subarray(first, first + probeBytes);
  for (let at = all.indexOf(probe); at >= 0;) {
    const address = at - first;
    const isThere = address >= 0 && address % 4 === 0 && all.subarray(address, address + wanted.length).equals(wanted);
    if (isThere) places.push(address);
    at = all.indexOf(probe, at + (isThere ? wanted.length : 1));
  }
  return places;
}

function take(memory: Uint8Array, address: number, { values, layout, scaled }: Order) {
  memory.fill(0, address, address + values.byteLength);
  if (scaled) {
    const piece: WeightPiece = { address, type: 'int8', ...layout };
    return { piece, stored: [bytesOf(scaled.scales), bytesOf(scaled.integers)] };
  }
  const halfs = halfsOf(values);
  const piece: WeightPiece = { address, type: halfs ? 'float16' : 'float32', count: values.length };
  return { piece, stored: [bytesOf(halfs ?? values)] };
}

/** Returns the numbers as halfs; undefined if one of them is not a half. */
function halfsOf(values: Float32Array): Uint16Array | undefined {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halfs = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const bits = bitsOfHalf(present(values[i]), present(words[i]));
    if (bits === undefined) return undefined;
    halfs[i] = bits;
  }
  return halfs;
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer =>
  Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);

/** Returns zeros up to the place where the next piece may begin. */
function gapAfter(stored: readonly Uint8Array[]): Uint8Array {
  const length = stored.reduce((sum, { length }) => sum + length, 0);
  return new Uint8Array((pieceAlignment - (length % pieceAlignment)) % pieceAlignment);
}
