/** Returns 0 … n − 1. */
export const range = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i);

/** Returns every pair, in the order of the first list, then of the second. */
export const pairs = <A, B>(as: readonly A[], bs: readonly B[]): readonly (readonly [A, B])[] =>
  as.flatMap((a) => bs.map((b) => [a, b] as const));
