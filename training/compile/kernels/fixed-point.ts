/**
 * Converts a row of numbers to integers times one power of two, for products with integers:
 *
 *     most = max |x|,  2^e ≤ most < 2^(e+1)
 *     X = round(x · 2^(21 − e))                |X| ≤ 2^22: the error is 2^(e − 22), half a unit of a float32 at `most`
 *     X = 2048 · high + low                    both in 16 bits
 *
 *     │ 2^(e − 21) in four lanes │ parts │ … │ high of x₀ … x₇ │ low of x₀ … x₇ │ high of x₈ … x₁₅ │ …
 *     0                          16          32                48               64
 *
 * `parts` says what is multiplied: 2 for both, or 1 where every low is 0, as for pixels and categories. It is 0 where
 * the row cannot be converted: it holds ∞ or NaN, its numbers are so large or small that products could leave float32's
 * range, or more than a sixteenth of them are so small beside the largest that their high is 0. In the last case, a
 * column without weight for the large numbers would consist mostly of errors.
 */
import { Plain, vectorBytes } from '../buffer.ts';
import {
  advance,
  type Code,
  firstLanes,
  get,
  i32,
  load,
  localsOf,
  range,
  repeat,
  set,
  shuffle,
  splat,
  splatInt,
  store,
  vector,
  type Wat,
  zero,
} from '../wat.ts';

/** The number of elements in a block: the 16-bit lanes of a vector. */
export const blockLength = 8;
export const blockBytes = 2 * vectorBytes;
/** The offsets of the first block and of `parts`. */
export const [blocksAt, partsAt] = [2 * vectorBytes, vectorBytes] as const;

/** The bits of X. */
const bits = 22;
const lowBits = 11;
export const highUnit = 2 ** lowBits;
/**
 * Adding this number rounds to an integer: a float32 that far from zero has no fraction bits, and its lowest bits are
 * the integer.
 */
const rounder = 1.5 * 2 ** 23;
const rounderBits = 0x4b400000;

/** One number in this many may be small. */
const numbersPerSmall = 16;

/** The limits of e, as float32 stores exponents, for rows that become integers: 2^−63 to 2^63. */
const [minExponent, maxExponent] = [64, 190] as const;
const bias = 127;

export const fixedBuffer = (name: string, count: number): Plain =>
  new Plain(name, (blocksAt + Math.ceil(count / blockLength) * blockBytes) / 4);

/** Returns a function of the row at `x` and the buffer at `to`. */
export function fixedCode(count: number): Code {
  const magnitude = (x: Wat): Wat => vector('v128.and', x, splatInt(0x7fffffff));
  const larger = (x: Wat): Wat => set('most', vector('i32x4.max_u', get('most'), magnitude(x)));
  const [whole, rest] = [Math.floor(count / 4), count % 4];
  // Compared as integers, magnitudes have the order of their numbers; ∞ is above all numbers, and NaN above ∞.
  const max = [
    set('most', zero),
    set('at', get('x')),
    ...(whole > 0 ? repeat('n', whole, [larger(load(get('at'))), advance('at', vectorBytes)]) : []),
    ...(rest > 0 ? [larger(onlyFirst(rest, load(get('at'))))] : []),
    ...[2, 1].map((distance) =>
      set(
        'most',
        vector(
          'i32x4.max_u',
          get('most'),
          shuffle(
            range(4).map((lane) => lane ^ distance),
            get('most'),
          ),
        ),
      ),
    ),
    set('exponent', `(i32.shr_u (i32x4.extract_lane 0 ${get('most')}) (i32.const 23))`),
  ];
  const powerOf = (exponent: Wat): Wat => `(i32x4.splat (i32.shl ${exponent} (i32.const 23)))`;
  const blocks = Math.floor(count / blockLength);
  return {
    about: [`${count} numbers as integers`],
    params: ['x', 'to'],
    locals: {
      ...localsOf('i32', 'at', 'n', 'exponent'),
      ...localsOf('v128', 'most', 'factor', 'lows', 'number', 'numbers', 'highs', 'high0', 'high1', 'low0', 'low1'),
    },
    body: [
      ...max,
      `(i32.store offset=${partsAt} ${get('to')} (i32.const 0))`,
      `(if (i32.gt_u (i32.sub ${get('exponent')} ${i32(minExponent)}) ${i32(maxExponent - minExponent)}) (then (return)))`,
      set('factor', powerOf(`(i32.sub ${i32(2 * bias + bits - 1)} ${get('exponent')})`)),
      store(get('to'), powerOf(`(i32.sub ${get('exponent')} ${i32(bits - 1)})`)),
      set('lows', zero),
      set('numbers', zero),
      set('highs', zero),
      set('at', get('to')),
      ...(blocks > 0
        ? repeat('n', blocks, [...block(blockLength), advance('x', 4 * blockLength), advance('at', blockBytes)])
        : []),
      ...(count % blockLength > 0 ? block(count % blockLength) : []),
      `(if (i32.le_u (i32.mul ${i32(numbersPerSmall - 1)} ${sumOfLanes(get('numbers'))}) (i32.mul ${i32(numbersPerSmall)} ${sumOfLanes(get('highs'))})) (then`,
      `(i32.store offset=${partsAt} ${get('to')} (i32.add (i32.const 1) (v128.any_true ${get('lows')})))`,
      '))',
    ],
  };
}

/** Converts `count` numbers at `x` to a block, padded with zeros. */
function block(count: number): readonly Wat[] {
  const halves = [Math.min(4, count), Math.max(0, count - 4)];
  const split = halves.flatMap((lanes, half) => {
    const [high, low] = [`high${half}`, `low${half}`];
    if (lanes === 0) return [set(high, zero), set(low, zero)];
    const rounded = vector('f32x4.add', vector('f32x4.mul', get('number'), get('factor')), splat(rounder));
    const isHigh = vector('i32x4.ne', get(high), zero);
    return [
      set('number', onlyFirst(lanes, load(get('x'), half * vectorBytes))),
      set(low, vector('i32x4.sub', rounded, splatInt(rounderBits))),
      set(high, vector('i32x4.shr_s', vector('i32x4.add', get(low), splatInt(highUnit / 2)), i32(lowBits))),
      set(low, vector('i32x4.sub', get(low), vector('i32x4.shl', get(high), i32(lowBits)))),
      // True is −1.
      set('numbers', vector('i32x4.sub', get('numbers'), vector('f32x4.ne', get('number'), zero))),
      set('highs', vector('i32x4.sub', get('highs'), isHigh)),
    ];
  });
  return [
    ...split,
    store(get('at'), vector('i16x8.narrow_i32x4_s', get('high0'), get('high1')), blocksAt),
    store(get('at'), vector('i16x8.narrow_i32x4_s', get('low0'), get('low1')), blocksAt + vectorBytes),
    set('lows', vector('v128.or', get('lows'), vector('v128.or', get('low0'), get('low1')))),
  ];
}

const sumOfLanes = (integers: Wat): Wat =>
  range(4)
    .map((lane): Wat => `(i32x4.extract_lane ${lane} ${integers})`)
    .reduce((sum, lane) => `(i32.add ${sum} ${lane})`);

/** Returns the first lanes, and zeros in the others, which may hold arbitrary numbers. */
const onlyFirst = (count: number, number: Wat): Wat =>
  count === 4 ? number : vector('v128.and', number, firstLanes(count));
