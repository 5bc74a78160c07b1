/** A bar for each of several names, with its number; and a mark beside it to compare with. */
import { make } from '../dom.ts';
import { number, percent } from '../format.ts';

export interface Bars {
  readonly root: HTMLElement;
  /** @param best the name to set off; @param marks what to compare with, by name */
  readonly show: (
    values: readonly (readonly [name: string, value: number])[],
    best: string | null,
    marks?: ReadonlyMap<string, number>,
  ) => void;
}

/** @param isShare whether values are probabilities; others are drawn from the least to the greatest */
export function createBars({ isShare = true } = {}): Bars {
  const root = make('ol', { className: 'bars' });
  let names = '';
  return {
    root,
    show(values, best, marks) {
      const written = values.map(([name]) => name).join('\n');
      if (written !== names)
        root.replaceChildren(
          ...values.map(([name]) => make('li', {}, make('b', { title: name }, name), make('i'), make('span'))),
        );
      names = written;
      const finite = values.map(([, value]) => value).filter((value) => Number.isFinite(value));
      const [least, greatest] = isShare ? [0, 1] : [Math.min(0, ...finite), Math.max(0, ...finite)];
      const share = (value: number): number => (value - least) / (greatest - least || 1);
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

const MOST = 10;

/** All in their order where they are few, else the most probable ones and those set off. */
export function mostOf(
  shares: ReadonlyMap<string, number>,
  also: readonly string[] = [],
): readonly (readonly [string, number])[] {
  const all = [...shares];
  if (all.length <= MOST) return all;
  const ranked = all.toSorted(([, a], [, b]) => b - a);
  return ranked.filter(([name], i) => i < MOST || also.includes(name));
}
