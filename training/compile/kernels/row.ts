/**
 * Folds rows of numbers to their maximum or sum. Four lanes are folded side by side, and elements of the last vector
 * beyond the row are replaced by the neutral element.
 */
import { vectorBytes, vectorsFor } from '../buffer.ts';
import { advance, get, lastLanes, load, repeat, set, shuffle, splat, vector, type Wat } from '../wat.ts';

export type Fold = 'max' | 'add';

/** The neutral element of each fold. */
export const neutral = { max: -Infinity, add: 0 } as const satisfies Readonly<Record<Fold, number>>;

export const foldTwo = (fold: Fold, a: Wat, b: Wat): Wat => vector(`f32x4.${fold}`, a, b);

/**
 * Emits `body` for each vector of a row and moves the pointers. `body` gets a function that replaces elements beyond
 * the row.
 */
export function eachVector(
  count: number,
  pointers: readonly string[],
  body: (within: (value: Wat, otherwise: number) => Wat) => readonly Wat[],
): readonly Wat[] {
  const move = pointers.map((pointer) => advance(pointer, vectorBytes));
  const whole = Math.floor(count / 4);
  const last = vectorsFor(count) - whole;
  const mask = lastLanes(count);
  return [
    ...(whole > 0 ? repeat('n', whole, [...body((value) => value), ...move]) : []),
    ...(last > 0
      ? [...body((value, otherwise) => vector('v128.bitselect', value, splat(otherwise), mask)), ...move]
      : []),
  ];
}

/** Starts folds in the locals `<local>0`, `<local>1` and so on. */
export const startFolds = (folds: readonly { readonly fold: Fold }[], local: string): readonly Wat[] =>
  folds.map(({ fold }, k) => set(`${local}${k}`, splat(neutral[fold])));

/** Folds a value into the local `total<k>`. */
export const foldIntoTotal = (fold: Fold, k: number, value: Wat): Wat =>
  set(`total${k}`, foldTwo(fold, get(`total${k}`), value));

/** Folds the four lanes of a local into one number, in all four lanes. */
export function acrossLanes(fold: Fold, local: string): readonly Wat[] {
  return [
    set(local, foldTwo(fold, get(local), shuffle([2, 3, 0, 1], get(local)))),
    set(local, foldTwo(fold, get(local), shuffle([1, 0, 3, 2], get(local)))),
  ];
}

/** Folds the row at the local `row` into the local `total`, in all four lanes. It uses the locals `at` and `n`. */
export function foldRow(fold: Fold, count: number, total: string): readonly Wat[] {
  return [
    set(total, splat(neutral[fold])),
    set('at', get('row')),
    ...eachVector(count, ['at'], (within) => [
      set(total, foldTwo(fold, get(total), within(load(get('at')), neutral[fold]))),
    ]),
    ...acrossLanes(fold, total),
  ];
}
