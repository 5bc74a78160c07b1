/** Finds the nearest values at which a model would answer with another class, one column at a time. */
import { present } from '../../training/arrays/index.ts';
import { type Candidate, candidatesOf, numbersBetween, type ColumnPlace, write } from './cells.ts';

export interface Flip<Answer> extends Candidate {
  readonly place: ColumnPlace;
  readonly answer: Answer;
}

/** The approximate number of rows that are tried. */
const ROWS = 512;
/** The minimum and maximum number of values that are tried of each column. */
const [MIN_VALUES, MAX_VALUES] = [4, 16];
/** The number of columns whose nearest flip is narrowed down and reported. */
const REPORTED = 3;

/**
 * @param ask returns the model's answer to each row, and undefined when that is its answer to the row itself
 * @returns flips with the nearest first, by the share of the range of training; another category counts as all of it
 */
export function flipsOf<Answer>(
  places: readonly ColumnPlace[],
  row: Float32Array,
  ask: (rows: readonly Float32Array[]) => readonly (Answer | undefined)[],
): readonly Flip<Answer>[] {
  const count = Math.min(Math.max(Math.floor(ROWS / places.length), MIN_VALUES), MAX_VALUES);
  const tried = tryAll(
    places.map((place) => ({ place, candidates: candidatesOf(place, row, count) })),
    row,
    ask,
  );
  const first = nearestOf(tried.flatMap((flips) => flips.slice(0, 1)));
  const finer = first.map(({ place, value }) => {
    const { column, at } = place;
    const own = present(row[at]);
    if (column.kind !== 'numeric' || !column.range || typeof value !== 'number' || Number.isNaN(own))
      return { place, candidates: [] };
    const width = column.range[1] - column.range[0];
    // The candidate before this one is closer to the row's own value, and does not change the answer.
    const before = value - Math.sign(value - own) * Math.min(Math.abs(value - own), width / count);
    return { place, candidates: numbersBetween([before, value], column.range, own, MAX_VALUES) };
  });
  const narrowed = tryAll(finer, row, ask);
  return nearestOf(first.map((flip, i) => narrowed[i]?.[0] ?? flip));
}

const nearestOf = <Answer>(flips: readonly Flip<Answer>[]): readonly Flip<Answer>[] =>
  flips.toSorted((a, b) => a.distance - b.distance).slice(0, REPORTED);

/** Returns the candidates of each column that change the answer, in their order. */
function tryAll<Answer>(
  all: readonly { readonly place: ColumnPlace; readonly candidates: readonly Candidate[] }[],
  row: Float32Array,
  ask: (rows: readonly Float32Array[]) => readonly (Answer | undefined)[],
): readonly (readonly Flip<Answer>[])[] {
  const changed = all.flatMap(({ place, candidates }) =>
    candidates.map(({ value }) => {
      const other = row.slice();
      write(place, value, other);
      return other;
    }),
  );
  const answers = changed.length === 0 ? [] : ask(changed);
  let next = 0;
  return all.map(({ place, candidates }) =>
    candidates.flatMap((candidate) => {
      const answer = answers[next++];
      return answer === undefined ? [] : [{ ...candidate, place, answer }];
    }),
  );
}
