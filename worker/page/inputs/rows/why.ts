/** Shows why a row gets its answer: what each column contributes to it, and which other values would change it. */
import { card, make } from '../../dom.ts';
import { number, percent, signed } from '../../format.ts';
import { whenQuiet } from '../../timing.ts';
import type { Cell, Row } from './row.ts';

/** An explanation as the Worker returns it. */
export interface Explained {
  /** The label whose probability is the score; absent for a number. */
  readonly of?: string;
  readonly score: number;
  readonly base: number;
  readonly contributions: Readonly<Record<string, number>>;
  readonly exact: boolean;
  readonly flips?: readonly {
    readonly column: string;
    readonly value: string | number;
    readonly label: string;
    readonly probability: number;
  }[];
  readonly rows: number;
}

export interface Why {
  readonly root: HTMLElement;
  readonly show: (row: Row) => void;
}

/** The delay before an explanation is asked for: it costs hundreds of rows, so it waits until the form rests. */
const QUIET_MS = 200;
const MAX_COLUMNS = 10;
/**
 * The smallest contribution that may fill the bar, in probability: a column that changes next to nothing then looks so.
 */
const MIN_FULL = 0.1;

/** @param explain asks the Worker about a row; it returns undefined when the row has no answer */
export function createWhy(explain: (row: Row) => Promise<Explained | undefined>): Why {
  const summary = make('p', { className: 'why-summary' });
  const list = make('ol', { className: 'contributions' });
  const flips = make('ul', { className: 'flips' });
  const caption = make('p', { className: 'hint' });
  const root = card('why', 'Why', summary, list, flips, caption);

  const ask = whenQuiet(QUIET_MS, async (isNewest, row: Row) => {
    const explained = await explain(row).catch((error: unknown) =>
      String(error instanceof Error ? error.message : error),
    );
    if (!isNewest()) return;
    root.classList.remove('is-stale');
    if (typeof explained === 'object') write(explained, row);
    else {
      summary.textContent = explained ?? 'There is no answer to explain.';
      for (const part of [list, flips, caption]) part.replaceChildren();
    }
  });
  function write(explained: Explained, row: Row): void {
    const { of, score, base, exact, rows } = explained;
    const written = of === undefined ? number : percent;
    const what = of === undefined ? 'The answer is' : `${of} has`;
    summary.textContent = `${what} ${written(score)}; a typical row gets ${written(base)}. Between them stand:`;
    list.replaceChildren(...contributionsOf(explained, row));
    flips.replaceChildren(...(explained.flips ?? []).map(flipOf));
    const method = exact ? 'Shapley values, all orders counted' : 'Shapley values, some orders counted';
    caption.textContent = `${method}; ${rows} rows were run for this.`;
  }
  return {
    root,
    show: (row) => {
      root.classList.add('is-stale');
      ask(row);
    },
  };
}

function contributionsOf({ of, contributions }: Explained, row: Row): HTMLElement[] {
  const ranked = Object.entries(contributions).toSorted(([, a], [, b]) => Math.abs(b) - Math.abs(a));
  const others = ranked.slice(MAX_COLUMNS);
  const rest = others.reduce((sum, [, value]) => sum + value, 0);
  const shown = ranked.slice(0, MAX_COLUMNS).map(([name, value]) => ({ name, cell: cellText(row[name]), value }));
  const all = others.length === 0 ? shown : [...shown, { name: `${others.length} others`, cell: '', value: rest }];
  const largest = Math.max(...all.map(({ value }) => Math.abs(value)), of === undefined ? 1e-12 : MIN_FULL);
  return all.map(({ name, cell, value }) => {
    const bar = make('i', { className: value < 0 ? 'less' : 'more' });
    bar.style.setProperty('--share', String(Math.abs(value) / largest));
    return make(
      'li',
      {},
      make('b', {}, name, ' ', make('small', {}, cell)),
      bar,
      make('span', {}, signed(value, of !== undefined)),
    );
  });
}

function flipOf({ column, value, label, probability }: NonNullable<Explained['flips']>[number]): HTMLElement {
  const text = typeof value === 'number' ? number(value) : value;
  return make(
    'li',
    {},
    'With ',
    make('b', {}, `${column} ${text}`),
    ' it would be ',
    make('b', {}, label),
    `, ${percent(probability)}.`,
  );
}

const cellText = (cell: Cell | undefined): string =>
  cell === null || cell === undefined ? 'unknown' : typeof cell === 'number' ? number(cell) : cell;
