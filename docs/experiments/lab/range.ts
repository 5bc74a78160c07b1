/** 0 … n − 1 */
export const range = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i);

/** Every pair, the first list's order first. */
export const pairs = <A, B>(as: readonly A[], bs: readonly B[]): readonly (readonly [A, B])[] =>
  as.flatMap((a) => bs.map((b) => [a, b] as const));
