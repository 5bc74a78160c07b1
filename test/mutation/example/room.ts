/** Is a room for the test of the mutation run, which must tell apart what each of its changes does. */

export const isBelow = (a: number, b: number): boolean => a < b;

export const twice = (a: number): number => a * 2;

/** Sums the numbers from 1 to `n`. Steps in the other direction never reach it. */
export function sumTo(n: number): number {
  let sum = 0;
  for (let i = 1; i <= n; i += 1) sum += i;
  return sum;
}

/** `limit` is computed when the file is loaded. */
export const limit = Math.max(3, 4);
