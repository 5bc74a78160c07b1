/**
 * Seeded random numbers for splits, shuffles and initial weights: the same on every machine, for ever.
 *
 * The generator is xoroshiro128+ (Blackman and Vigna, https://prng.di.unimi.it) as pure-rand implements it. Only exact
 * IEEE operations shape the numbers, so no platform's `Math` library can change them. Dropout does not use it: its mask
 * is a counter hash inside the graph.
 */
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import { present } from '../arrays/index.ts';
import { sha256 } from './sha256.ts';

export interface Random {
  /** Draws a uniform number from [0, 1), a multiple of 2⁻⁵³. */
  readonly uniform: () => number;
  /** Draws a normal number with mean 0 and variance 1. */
  readonly normal: () => number;
  /** Returns 0 … n − 1 in a random order, each order equally likely. */
  readonly permutation: (n: number) => Int32Array;
  /**
   * Returns an independent generator. It depends only on the seed and the names, not on what has been drawn, so that a
   * new use of randomness does not change any other.
   */
  readonly fork: (name: string) => Random;
}

export function createRandom(seed: number): Random {
  return fromKey(String(seed));
}

function fromKey(key: string): Random {
  const generator = xoroshiro128plusFromState(stateOf(key));
  const uniform = () => uniformFloat64(generator);
  return {
    uniform,
    normal: () => normal(uniform),
    permutation: (n) =>
      shuffle(
        Int32Array.from({ length: n }, (_, i) => i),
        (max) => uniformInt(generator, 0, max),
      ),
    fork: (name) => fromKey(JSON.stringify([key, name])),
  };
}

/**
 * Returns 128 bits of SHA-256. Unlike a small seed, these are never near the all-zero state, which xoroshiro cannot
 * leave.
 */
function stateOf(key: string): number[] {
  // Reads the digest's bytes as the words of a little-endian machine.
  const bytes = new DataView(new ArrayBuffer(16));
  sha256(key).forEach((word, i) => {
    if (i < 4) bytes.setInt32(4 * i, word);
  });
  return [0, 4, 8, 12].map((offset) => bytes.getInt32(offset, true));
}

/**
 * Draws a normal number by the ratio of uniforms (Kinderman and Monahan, ACM TOMS 3(3), 1977): with u in (0, 1] and v
 * in [−½, ½),
 *   z = √(8/e) · v/u   is normal where   z² ≤ −4 ln u.
 * The logarithm only decides whether to accept; it never enters the number.
 */
function normal(uniform: () => number): number {
  for (;;) {
    const u = 1 - uniform();
    const z = (SQRT_8_OVER_E * (uniform() - 0.5)) / u;
    if (z * z <= -4 * Math.log(u)) return z;
  }
}

const SQRT_8_OVER_E = 1.7155277699214135;

/** Shuffles in place (Fisher and Yates); `below(max)` is uniform in 0 … max. */
function shuffle(items: Int32Array, below: (max: number) => number): Int32Array {
  for (let last = items.length - 1; last > 0; last--) {
    const chosen = below(last);
    const item = present(items[chosen]);
    items[chosen] = present(items[last]);
    items[last] = item;
  }
  return items;
}
