/** Draws a bar for each of several names, with its number, and a mark to compare it with. */
import { make } from '../dom.ts';
import { number, percent } from '../format.ts';

export interface Bars {
  readonly root: HTMLElement;
  /**
   * Updates the bars.
   * @param best the name to highlight
   * @param marks the values to compare with, by name
   */
  readonly show: (
    values: readonly (readonly [name: string, value: number])[],
    best: string | null,
    marks?: ReadonlyMap<string, number>,
  ) => void;
}

/** @param isShare whether values are probabilities; others are drawn from the minimum to the maximum */
export function createBars({ isShare = true } = {}): Bars {
  const root = make('ol', { className: 'bars' });
  let names = '';
  return {
    root,
    show(values, best, marks) {
      const newNames = values.map(([name]) => name).join('\n');
      if (newNames !== names)
        root.replaceChildren(
          ...values.map(([name]) => make('li', {}, make('b', { title: name }, name), make('i'), make('span'))),
        );
      names = newNames;
      const finite = values.map(([, value]) => value).filter((value) => Number.isFinite(value));
      const [min, max] = isShare ? [0, 1] : [Math.min(0, ...finite), Math.max(0, ...finite)];
      const share = (value: number): number => (value - min) / (max - min || 1);
      values.forEach(([name, value], i) => {
        const bar = root.children[i];
        if (!(bar instanceof HTMLElement)) return;
        bar.style.setProperty('--share', String(Number.isFinite(value) ? share(value) : 0));
        bar.style.setProperty('--mark', String(marks?.get(name) ?? 0));
        bar.classList.toggle('best', name === best);
        bar.classList.toggle('marked', (marks?.get(name) ?? 0) > 0.005);
        const text = bar.querySelector('span');
        if (text) text.textContent = Number.isFinite(value) ? (isShare ? percent(value) : number(value)) : '–';
      });
    },
  };
}

const MAX_BARS = 10;

/** Returns all shares in their order when they are few, otherwise the most probable ones and those of `also`. */
export function shownShares(
  shares: ReadonlyMap<string, number>,
  also: readonly string[] = [],
): readonly (readonly [string, number])[] {
  const all = [...shares];
  if (all.length <= MAX_BARS) return all;
  const ranked = all.toSorted(([, a], [, b]) => b - a);
  return ranked.filter(([name], i) => i < MAX_BARS || also.includes(name));
}
