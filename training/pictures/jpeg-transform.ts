/**
 * Transforms coefficients to samples: the inverse cosine transform of libjpeg's `jidctint.c`, bit for bit, with
 * integers (Loeffler, Ligtenberg and Moschytz, "Practical fast 1-D DCT algorithms with 11 multiplications", 1989).
 *
 * Every index lies in a block of 64. Elements are read with `?? 0`, since `present` costs some percent here.
 */

const BITS = 13;
/** The number of extra fraction bits that the first pass, along the columns, keeps. */
const MORE_BITS = 2;

const constant = (value: number): number => Math.round(value * 2 ** BITS);
const C0298 = constant(0.298631336);
const C0390 = constant(0.390180644);
const C0541 = constant(0.5411961);
const C0765 = constant(0.765366865);
const C0899 = constant(0.899976223);
const C1175 = constant(1.175875602);
const C1501 = constant(1.50132111);
const C1847 = constant(1.847759065);
const C1961 = constant(1.96157056);
const C2053 = constant(2.053119869);
const C2562 = constant(2.562915447);
const C3072 = constant(3.072711026);

const { imul } = Math;
const columns = new Int32Array(64);

const clamped = (value: number): number => (value < 0 ? 0 : value > 255 ? 255 : value);

/**
 * Transforms a block.
 *
 * @param at the offset of the block among the coefficients
 * @param isFlat whether all coefficients except the first are 0
 * @param to the offset of the first row of samples
 * @param stride the distance between two rows of samples
 */
export function inverseTransform(
  coefficients: Int16Array,
  at: number,
  isFlat: boolean,
  quantization: Int32Array,
  samples: Uint8Array,
  to: number,
  stride: number,
): void {
  if (isFlat) {
    const level = imul(coefficients[at] ?? 0, quantization[0] ?? 0);
    const sample = clamped((((level << MORE_BITS) + (1 << (MORE_BITS + 2))) >> (MORE_BITS + 3)) + 128);
    for (let y = 0, row = to; y < 8; y++, row += stride) samples.fill(sample, row, row + 8);
    return;
  }
  for (let x = 0; x < 8; x++) transformColumn(coefficients, at + x, quantization, x);
  for (let y = 0; y < 8; y++) transformRow(y * 8, samples, to + y * stride);
}

function transformColumn(coefficients: Int16Array, at: number, quantization: Int32Array, x: number): void {
  const c0 = imul(coefficients[at] ?? 0, quantization[x] ?? 0);
  const c1 = imul(coefficients[at + 8] ?? 0, quantization[x + 8] ?? 0);
  const c2 = imul(coefficients[at + 16] ?? 0, quantization[x + 16] ?? 0);
  const c3 = imul(coefficients[at + 24] ?? 0, quantization[x + 24] ?? 0);
  const c4 = imul(coefficients[at + 32] ?? 0, quantization[x + 32] ?? 0);
  const c5 = imul(coefficients[at + 40] ?? 0, quantization[x + 40] ?? 0);
  const c6 = imul(coefficients[at + 48] ?? 0, quantization[x + 48] ?? 0);
  const c7 = imul(coefficients[at + 56] ?? 0, quantization[x + 56] ?? 0);
  if ((c1 | c2 | c3 | c4 | c5 | c6 | c7) === 0) {
    const level = c0 << MORE_BITS;
    for (let y = 0; y < 64; y += 8) columns[x + y] = level;
    return;
  }
  const even = imul(c2 + c6, C0541);
  const low = even - imul(c6, C1847);
  const high = even + imul(c2, C0765);
  const sum = (c0 + c4) << BITS;
  const difference = (c0 - c4) << BITS;
  const e0 = sum + high;
  const e1 = difference + low;
  const e2 = difference - low;
  const e3 = sum - high;
  const z5 = imul(c7 + c3 + c5 + c1, C1175);
  const z1 = imul(c7 + c1, -C0899);
  const z2 = imul(c5 + c3, -C2562);
  const z3 = imul(c7 + c3, -C1961) + z5;
  const z4 = imul(c5 + c1, -C0390) + z5;
  const o0 = imul(c7, C0298) + z1 + z3;
  const o1 = imul(c5, C2053) + z2 + z4;
  const o2 = imul(c3, C3072) + z2 + z3;
  const o3 = imul(c1, C1501) + z1 + z4;
  const shift = BITS - MORE_BITS;
  const half = 1 << (shift - 1);
  columns[x] = (e0 + o3 + half) >> shift;
  columns[x + 56] = (e0 - o3 + half) >> shift;
  columns[x + 8] = (e1 + o2 + half) >> shift;
  columns[x + 48] = (e1 - o2 + half) >> shift;
  columns[x + 16] = (e2 + o1 + half) >> shift;
  columns[x + 40] = (e2 - o1 + half) >> shift;
  columns[x + 24] = (e3 + o0 + half) >> shift;
  columns[x + 32] = (e3 - o0 + half) >> shift;
}

function transformRow(at: number, samples: Uint8Array, to: number): void {
  const c0 = columns[at] ?? 0;
  const c1 = columns[at + 1] ?? 0;
  const c2 = columns[at + 2] ?? 0;
  const c3 = columns[at + 3] ?? 0;
  const c4 = columns[at + 4] ?? 0;
  const c5 = columns[at + 5] ?? 0;
  const c6 = columns[at + 6] ?? 0;
  const c7 = columns[at + 7] ?? 0;
  const even = imul(c2 + c6, C0541);
  const low = even - imul(c6, C1847);
  const high = even + imul(c2, C0765);
  const sum = (c0 + c4) << BITS;
  const difference = (c0 - c4) << BITS;
  const e0 = sum + high;
  const e1 = difference + low;
  const e2 = difference - low;
  const e3 = sum - high;
  const z5 = imul(c7 + c3 + c5 + c1, C1175);
  const z1 = imul(c7 + c1, -C0899);
  const z2 = imul(c5 + c3, -C2562);
  const z3 = imul(c7 + c3, -C1961) + z5;
  const z4 = imul(c5 + c1, -C0390) + z5;
  const o0 = imul(c7, C0298) + z1 + z3;
  const o1 = imul(c5, C2053) + z2 + z4;
  const o2 = imul(c3, C3072) + z2 + z3;
  const o3 = imul(c1, C1501) + z1 + z4;
  const shift = BITS + MORE_BITS + 3;
  // Half a unit, which rounds, and 128, the middle of the samples' range.
  const half = (1 << (shift - 1)) + (128 << shift);
  samples[to] = clamped((e0 + o3 + half) >> shift);
  samples[to + 7] = clamped((e0 - o3 + half) >> shift);
  samples[to + 1] = clamped((e1 + o2 + half) >> shift);
  samples[to + 6] = clamped((e1 - o2 + half) >> shift);
  samples[to + 2] = clamped((e2 + o1 + half) >> shift);
  samples[to + 5] = clamped((e2 - o1 + half) >> shift);
  samples[to + 3] = clamped((e3 + o0 + half) >> shift);
  samples[to + 4] = clamped((e3 - o0 + half) >> shift);
}
