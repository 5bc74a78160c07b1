/**
 * Writes the weights that the module's data leaves out into linear memory: those that are stored as something smaller
 * than single precision, or that come from elsewhere.
 */

import type { Pointer } from './glue.ts';
import type { Heap } from './heap.ts';

/**
 * The number of columns that ONNX Runtime puts side by side in the matrices that it packs, and of rows that it packs
 * together.
 */
export const [panelColumns, panelRows] = [16, 256];

/** A whole number of channels in the order of the file. */
interface Rows {
  readonly outer: number;
  readonly channels: number;
  readonly inner: number;
}

/**
 * A matrix `[rows, channels]` as ONNX Runtime packs it: panels of `panelRows` rows by `panelColumns` columns, one panel
 * of columns after the other, zeros beyond the last channel.
 */
interface Panels {
  readonly rows: number;
  readonly channels: number;
}

/**
 * Single-precision numbers that follow each other from `address` on. As `int8` they are stored as a scale for each
 * channel and an integer for each number, otherwise as the numbers themselves.
 */
export type WeightPiece = { readonly address: Pointer } & (
  | { readonly type: 'float32' | 'float16'; readonly count: number }
  | ({ readonly type: 'int8' } & (Rows | Panels))
);

/** Pieces begin at multiples of this number of bytes. */
export const pieceAlignment = 4;

/** Writes the pieces, which follow each other in `stored`. */
export function writeWeights({ memory }: Heap, pieces: readonly WeightPiece[], stored: Uint8Array): void {
  let at = 0;
  for (const piece of pieces) {
    at += write(memory.buffer, piece, stored.buffer as ArrayBuffer, stored.byteOffset + at);
    at = Math.ceil(at / pieceAlignment) * pieceAlignment;
  }
}

/** @returns the number of bytes read */
function write(memory: ArrayBuffer, piece: WeightPiece, stored: ArrayBuffer, at: number): number {
  const { address } = piece;
  if (piece.type === 'int8') return writeScaled(memory, piece, stored, at);
  const { type, count } = piece;
  const target = new Float32Array(memory, address, count);
  if (type === 'float32') target.set(new Float32Array(stored, at, count));
  else writeHalfs(target, new Uint16Array(stored, at, count));
  return count * (type === 'float32' ? 4 : 2);
}

/** Widens halfs to single precision. A half's exponent, moved to its place in single precision, is too small by 112. */
function writeHalfs(target: Float32Array, halfs: Uint16Array): void {
  const bits = new Uint32Array(target.buffer, target.byteOffset, target.length);
  for (let i = 0; i < halfs.length; i++) {
    const half = halfs[i] as number;
    bits[i] = ((half & 0x8000) << 16) | ((half & 0x7fff) << 13);
    target[i] = (target[i] as number) * 2 ** 112;
  }
}

function writeScaled(
  memory: ArrayBuffer,
  piece: { readonly address: Pointer } & (Rows | Panels),
  stored: ArrayBuffer,
  at: number,
): number {
  const { address, channels } = piece;
  const count = 'rows' in piece ? piece.rows * padded(channels) : piece.outer * channels * piece.inner;
  const scales = new Float32Array(stored, at, channels);
  const integers = new Int8Array(stored, at + 4 * channels, count);
  const target = new Float32Array(memory, address, count);
  if ('rows' in piece) scalePanels(target, integers, scales, piece);
  else scaleRows(target, integers, scales, piece);
  return 4 * channels + count;
}

/** Counts the columns of a packed matrix, including those that are zeros. */
export const padded = (channels: number): number => Math.ceil(channels / panelColumns) * panelColumns;

function scaleRows(target: Float32Array, integers: Int8Array, scales: Float32Array, { outer, channels, inner }: Rows) {
  for (let o = 0, i = 0; o < outer; o++) {
    for (let channel = 0; channel < channels; channel++) {
      const scale = scales[channel] as number;
      for (const end = i + inner; i < end; i++) target[i] = (integers[i] as number) * scale;
    }
  }
}

function scalePanels(target: Float32Array, integers: Int8Array, scales: Float32Array, { rows, channels }: Panels) {
  const column = new Float32Array(padded(channels));
  column.set(scales);
  for (let row = 0, i = 0; row < rows; row += panelRows) {
    const taken = Math.min(panelRows, rows - row) * panelColumns;
    for (let panel = 0; panel < channels; panel += panelColumns) {
      for (const end = i + taken; i < end; i++) {
        target[i] = (integers[i] as number) * (column[panel + (i % panelColumns)] as number);
      }
    }
  }
}
