/**
 * The lowest floor, which the Worker's rooms share: elements of arrays that must be there, and their number. An index
 * outside an array is a fault of this code, which `at` and `present` do not hide behind a 0 or a NaN.
 */

/**
 * Returns the element at this index.
 *
 * @throws Error if the array has none there
 */
export function at<T>(array: ArrayLike<T>, index: number): T {
  const element = array[index];
  if (element === undefined) throw new Error(`internal: index ${index} is outside an array of ${array.length}`);
  return element;
}

/**
 * Returns the element that a hot loop has read itself: `present(bytes[i])`. The engine then knows the kind of array at
 * each place, which it does not within one `at` for all of them.
 *
 * @throws Error if there is none
 */
export function present<T>(element: T | undefined): T {
  if (element === undefined) throw new Error('internal: an index is outside its array');
  return element;
}

/** Counts the elements of an array of this shape: 1 for a scalar. */
export const elementCount = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);
