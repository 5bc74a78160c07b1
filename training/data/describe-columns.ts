/** Describes the columns by the training part: the range of each column's values, and a typical one. */
import { present } from '../arrays/index.ts';
import {
  type CategoricalColumn,
  type Column,
  type DateColumn,
  type InputColumn,
  readInstant,
  textOfInstant,
  widthOf,
} from '../columns/index.ts';
import { shortestFloat } from '../files/index.ts';
import type { Samples } from './dataset.ts';

/**
 * Returns the columns with `range` and `typical`; a column that holds only gaps gets neither.
 *
 * @param train rows of the training part, `[count, width]`, NaN where missing
 */
export function describeColumns(columns: readonly Column[], train: Samples): readonly Column[] {
  let at = 0;
  return columns.map((column) => {
    const place = at;
    at += widthOf(column);
    switch (column.kind) {
      case 'numeric':
        return { ...column, ...describeNumbers(train, place) };
      case 'categorical':
        return { ...column, ...describeCategories(column, train, place) };
      case 'date':
        return { ...column, ...describeDates(column, train, place) };
    }
  });
}

/** Returns the range and the mean of a numeric column. The mean of whole numbers is rounded: no row has 3.4 calls. */
function describeNumbers({ inputs, inputShape: [width = 1], count }: Samples, place: number) {
  let [min, max, mean, values] = [Infinity, -Infinity, 0, 0];
  let areWhole = true;
  for (let row = 0, at = place; row < count; row++, at += width) {
    const value = present(inputs[at]);
    if (Number.isNaN(value)) continue;
    min = Math.min(min, value);
    max = Math.max(max, value);
    mean += (value - mean) / ++values;
    areWhole &&= Number.isInteger(value);
  }
  if (values === 0) return undefined;
  const typical = areWhole ? Math.round(mean) : shortestFloat(mean);
  return { range: [shortestFloat(min), shortestFloat(max)], typical } as const;
}

/** Returns the most frequent category, and the first of several that are equally frequent. */
function describeCategories(
  { categories }: CategoricalColumn,
  { inputs, inputShape: [width = 1], count }: Samples,
  place: number,
) {
  const counts = new Uint32Array(categories.length);
  for (let row = 0, at = place; row < count; row++, at += width) {
    const index = present(inputs[at]);
    if (!Number.isNaN(index)) counts[index] = present(counts[index]) + 1;
  }
  const most = counts.reduce((a, b) => Math.max(a, b), 0);
  const typical = categories[counts.indexOf(most)];
  return most > 0 && typical !== undefined && { typical };
}

/**
 * Returns, for each input, the indices of the categories that no row of the training part has: they occur only in the
 * other parts. A gap counts as the value that fills it.
 */
export function unseenCategories(
  { inputs, inputShape: [width = 1], count }: Samples,
  columns: readonly Pick<InputColumn, 'categories' | 'fill'>[],
): readonly (readonly number[])[] {
  return columns.map(({ categories, fill }, column) => {
    const isSeen = new Uint8Array(categories);
    for (let row = 0, at = column; row < count && categories > 0; row++, at += width) {
      const index = present(inputs[at]);
      const category = Number.isNaN(index) ? fill : index;
      if (category !== null) isSeen[category] = 1;
    }
    return [...isSeen.keys()].filter((category) => isSeen[category] === 0);
  });
}

function describeDates(
  { parts, years }: DateColumn,
  { inputs, inputShape: [width = 1], count }: Samples,
  place: number,
) {
  const all = Float64Array.from({ length: count }, (_, row) => readInstant(inputs, row * width + place, parts, years));
  const sorted = all.filter((instant) => !Number.isNaN(instant)).sort();
  const [first, middle, last] = [sorted[0], sorted[(sorted.length - 1) >> 1], sorted.at(-1)];
  if (first === undefined || middle === undefined || last === undefined) return undefined;
  const textOf = (instant: number): string => textOfInstant(instant, parts);
  return { range: [textOf(first), textOf(last)], typical: textOf(middle) } as const;
}
