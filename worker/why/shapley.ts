/**
 * Computes Shapley values: how much each of several changes contributes to a score, on average over the orders in which
 * they can be made.
 * https://doi.org/10.1515/9781400881970-018 (Shapley, 1953), https://doi.org/10.1016/j.cor.2008.04.004 (Castro, Gómez
 * and Tejada, 2009)
 */
import { at } from '../../training/arrays/index.ts';

/** Marks the changes that are made, `[changes]`: 1 or 0. */
export type Made = Uint8Array;

export interface Contributions {
  /** `[changes]` values, which add up to the score with all changes less the score with none. */
  readonly values: readonly number[];
  /** Is true when all orders were counted. */
  readonly isExact: boolean;
}

/** The maximum number of changes for which all subsets are scored: 256. */
const MAX_EXACT = 8;
/** The approximate number of scores for more changes. */
const SCORES = 512;

/** @param scores returns the score with each set of changes */
export function contributionsOf(changes: number, scores: (sets: readonly Made[]) => readonly number[]): Contributions {
  return changes <= MAX_EXACT
    ? { values: exact(changes, scores), isExact: true }
    : { values: sampled(changes, scores), isExact: false };
}

/** Computes φᵢ = Σ |S|! (n − |S| − 1)! / n! (f(S ∪ i) − f(S)), over all sets S without i. */
function exact(n: number, scores: Parameters<typeof contributionsOf>[1]): number[] {
  const sets = Array.from({ length: 2 ** n }, (_, bits) => Uint8Array.from({ length: n }, (__, i) => (bits >> i) & 1));
  const f = scores(sets);
  const weights = [1 / n];
  for (let size = 1; size < n; size++) weights.push((at(weights, size - 1) * size) / (n - size));
  return Array.from({ length: n }, (_, i) =>
    sets.reduce((sum, set, bits) => {
      if (set[i]) return sum;
      const size = set.reduce((count, made) => count + made, 0);
      return sum + at(weights, size) * (at(f, bits | (1 << i)) - at(f, bits));
    }, 0),
  );
}

/**
 * Averages over some random orders, each taken forwards and backwards. The steps of an order add up to the whole
 * difference.
 */
function sampled(n: number, scores: Parameters<typeof contributionsOf>[1]): number[] {
  const random = sequence();
  const pairs = Math.max(Math.floor(SCORES / (2 * (n + 1))), 2);
  const orders = Array.from({ length: pairs }, () => shuffled(n, random)).flatMap((order) => [
    order,
    order.toReversed(),
  ]);
  const f = scores(orders.flatMap(setsAlong));
  const values = new Array<number>(n).fill(0);
  orders.forEach((order, k) => {
    order.forEach((i, step) => {
      const before = k * (n + 1) + step;
      values[i] = at(values, i) + (at(f, before + 1) - at(f, before)) / orders.length;
    });
  });
  return values;
}

/** Returns the sets along an order, from none to all. */
function setsAlong(order: readonly number[]): Made[] {
  const made = new Uint8Array(order.length);
  return [
    made.slice(),
    ...order.map((i) => {
      made[i] = 1;
      return made.slice();
    }),
  ];
}

function shuffled(n: number, random: () => number): number[] {
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [at(order, j), at(order, i)];
  }
  return order;
}

/** Returns a random sequence that is the same each time, so that the same row gets the same answer (mulberry32). */
function sequence(): () => number {
  let state = 1;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}
