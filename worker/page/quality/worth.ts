/**
 * Shows what each column is worth to a model: a bar for how much worse it is without, and a whisker for how sure that
 * is.
 */
import type { Importance } from '../api/model.ts';
import { make } from '../dom.ts';
import { decimal, number } from '../format.ts';

const MAX = 12;

export function createWorth({ measure, rows, repeats, columns }: Importance): HTMLElement {
  const shown = columns.slice(0, MAX);
  const largest = Math.max(...shown.map(({ mean, deviation }) => mean + deviation), Number.MIN_VALUE);
  const share = (value: number): string => String(Math.min(1, Math.max(0, value / largest)));
  const items = shown.map(({ name, mean, deviation }) => {
    const bar = make('i');
    bar.style.setProperty('--share', share(mean));
    bar.style.setProperty('--from', share(mean - deviation));
    bar.style.setProperty('--to', share(mean + deviation));
    return make('li', {}, make('b', {}, name), bar, make('span', {}, `${written(mean)} ± ${written(deviation)}`));
  });
  const more = columns.length > MAX ? ` ${columns.length - MAX} more columns are worth less.` : '';
  return make(
    'figure',
    {},
    make('h3', {}, 'What each column is worth'),
    make('ol', { className: 'worth' }, ...items),
    make(
      'figcaption',
      { className: 'hint' },
      `Growth of the ${measure} when a column's values are shuffled among ${rows} test rows, ${repeats} times.${more}`,
    ),
  );
}

/** Writes small numbers with their significant digits, and large ones with no more digits than count. */
const written = (value: number): string => (Math.abs(value) < 100 ? decimal(value) : number(value));
