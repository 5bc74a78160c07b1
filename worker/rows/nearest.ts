/** Guesses what a client may have meant: the nearest of the known names. */
import { present } from '../../training/arrays/index.ts';

/** Limits the length of a text and the number of names that are compared: a refusal has to stay cheap. */
const MAX_LENGTH = 40;
const MAX_NAMES = 2000;

/** Returns the nearest name, or `undefined` when none is near. Case is ignored. */
export function nearest(text: string, names: readonly string[]): string | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const wanted = text.trim().toLowerCase();
  let [best, min] = [undefined as string | undefined, Math.floor(wanted.length / 3) + 1];
  for (const name of names.slice(0, MAX_NAMES)) {
    if (Math.abs(name.length - wanted.length) >= min) continue;
    const edits = editsBetween(wanted, name.toLowerCase());
    if (edits < min) [best, min] = [name, edits];
  }
  return best;
}

/**
 * Counts the characters that are inserted, deleted, changed or swapped with the next:
 * https://en.wikipedia.org/wiki/Damerau–Levenshtein_distance
 */
function editsBetween(a: string, b: string): number {
  let [before, last]: [number[], number[]] = [[], Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      let min = Math.min(present(row[j - 1]) + 1, present(last[j]) + 1, present(last[j - 1]) + Number(!isSame));
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwapped) min = Math.min(min, present(before[j - 2]) + 1);
      row.push(min);
    }
    [before, last] = [last, row];
  }
  return present(last[b.length]);
}
