/**
 * Explains why a model answers a row as it does, for the parameter `explain` of a prediction: what each column
 * contributes, against the typical row of training, and which other values would change the answer. It only asks the
 * model about rows, so it works for any model of rows. (The folder `explain/` looks inside Batch Norm.)
 */
import { at } from '../../training/arrays/index.ts';
import { RequestError } from '../errors.ts';
import type { Model } from '../models.ts';
import { probabilitiesOf, type Read, predictedClassOf } from '../predict/kinds.ts';
import { valuesOf } from '../predict/answer.ts';
import type { Tensor } from '../protocol/datatypes.ts';
import { toFloatDigits } from '../protocol/numbers.ts';
import type { Explained } from '../protocol/responses.ts';
import type { RowTable } from '../rows/table.ts';
import { isSame, type ColumnPlace, placesOf, typicalRow } from './cells.ts';
import { flipsOf } from './flips.ts';
import { contributionsOf } from './shapley.ts';

/** The maximum number of rows of a request: to explain each, hundreds are run. */
const MAX_ROWS = 16;
const ROWS_PER_RUN = 256;

/**
 * @param tensor the prepared rows
 * @returns one explanation per row; undefined for a row without an answer
 * @throws RequestError when the model gives no single score, or the typical row is not known
 */
export function why(model: Model, table: RowTable, { data }: Tensor): readonly (Explained | undefined)[] {
  const { width } = table.preparer;
  const count = data.length / width;
  if (count > MAX_ROWS) {
    throw new RequestError('too large', `explain: expected at most ${MAX_ROWS} rows, got ${count}`);
  }
  const ask = askerOf(model, table);
  // A label that does not exclude the others is not replaced by another one.
  const mayFlip = model.output?.kind !== 'multi-label';
  const places = placesOf(table.columns);
  const typical = typicalRow(places);
  const numbers = Float32Array.from(data as Float32Array);
  return Array.from({ length: count }, (_, i) =>
    explainRow(numbers.subarray(i * width, (i + 1) * width), { typical, places, ask, mayFlip }, model),
  );
}

type Ask = (rows: readonly Float32Array[]) => readonly (readonly number[])[];

/** Returns a function that scores rows: by a probability for each class, or by the number. */
function askerOf({ name, output, session, ofBatch }: Model, { input, preparer: { width } }: RowTable): Ask {
  const got = (what: string): RequestError =>
    new RequestError('not found', `explain: expected a model that scores each row by itself, ${name} ${what}`);
  const { kind } = output ?? {};
  const scoresOf = kind === 'number' ? (values: readonly number[]) => [...values] : kind && probabilitiesOf[kind];
  if (!output || !scoresOf) throw got('answers no scores');
  if (ofBatch) throw got('normalizes with the mini-batch');
  if (input.shape[0] !== -1) throw got('takes a fixed number of rows');
  return (rows) => {
    const all: (readonly number[])[] = [];
    for (let from = 0; from < rows.length; from += ROWS_PER_RUN) {
      const some = rows.slice(from, from + ROWS_PER_RUN);
      const data = new Float32Array(some.length * width);
      some.forEach((row, i) => {
        data.set(row, i * width);
      });
      const feeds = new Map([[input.name, { datatype: input.datatype, shape: [some.length, width], data }]]);
      for (const values of valuesOf('explain', name, output.name, session.run(feeds, [output.name]))) {
        if (kind === 'number' && values.length > 1) throw got('answers several numbers');
        all.push(scoresOf(values));
      }
    }
    return all;
  };
}

/** Holds what the explanations of all rows of a request share. */
interface Explaining {
  readonly typical: Float32Array;
  readonly places: readonly ColumnPlace[];
  readonly ask: Ask;
  readonly mayFlip: boolean;
}

function explainRow(
  row: Float32Array,
  { typical, places, ask: askAll, mayFlip }: Explaining,
  model: Read,
): Explained | undefined {
  let asked = 0;
  const ask: Ask = (rows) => {
    asked += rows.length;
    return askAll(rows);
  };
  const [own = [], base = []] = ask([row, typical]);
  if (![...own, ...base].every(Number.isFinite)) return undefined;
  const isClass = own.length > 1;
  // The thresholds of labels that do not exclude each other do not decide between them.
  const classOf = (scores: readonly number[]): number => predictedClassOf(scores, mayFlip ? model : {});
  const best = classOf(own);
  const labelOf = (index: number): string => model.labels?.[index] ?? String(index);
  const changed = places.filter((place) => !isSame(place, row, typical));
  const { values, isExact } = contributionsOf(changed.length, (sets) =>
    ask(sets.map((made) => mixed(row, typical, changed, made))).map((scores) => at(scores, best)),
  );
  const byColumn = new Map(changed.map(({ column }, i) => [column, at(values, i)]));
  const flips =
    isClass && mayFlip
      ? flipsOf(places, row, (rows) =>
          ask(rows).map((scores) => {
            const index = classOf(scores);
            return index === best ? undefined : { index, probability: at(scores, index) };
          }),
        )
      : [];
  return {
    ...(isClass && { of: labelOf(best) }),
    score: toFloatDigits(at(own, best)),
    base: toFloatDigits(at(base, best)),
    contributions: Object.fromEntries(
      places.map(({ column }) => [column.name, toFloatDigits(byColumn.get(column) ?? 0)]),
    ),
    exact: isExact,
    ...(flips.length > 0 && {
      flips: flips.map(({ place, value, answer: { index, probability } }) => ({
        column: place.column.name,
        value,
        label: labelOf(index),
        probability: toFloatDigits(probability),
      })),
    }),
    rows: asked,
  };
}

/** Returns the typical row with the changes that are made. */
function mixed(
  row: Float32Array,
  typical: Float32Array,
  changes: readonly ColumnPlace[],
  made: Uint8Array,
): Float32Array {
  const result = typical.slice();
  changes.forEach(({ at, width }, i) => {
    if (made[i]) result.set(row.subarray(at, at + width), at);
  });
  return result;
}
