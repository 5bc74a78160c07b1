/** Draws lists of bars, each with a mark where drift begins, or of what was expected. */
import { make } from '../dom.ts';

export interface Bar {
  readonly name: string;
  readonly text: string;
  /** `share` is the bar's length and `mark` the place of its mark, both in [0, 1]. */
  readonly share: number;
  readonly mark?: number;
  readonly isDrift: boolean;
}

export function barList(bars: readonly Bar[]): HTMLElement {
  const items = bars.map(({ name, text, share, mark, isDrift }) => {
    const bar = make('i');
    const set = (property: string, value: number): void => {
      bar.style.setProperty(property, String(Math.min(1, Math.max(0, value))));
    };
    set('--share', share);
    if (mark !== undefined) set('--mark', mark);
    bar.classList.toggle('is-marked', mark !== undefined);
    return make('li', { className: isDrift ? 'is-drift' : '' }, make('b', {}, name), bar, make('span', {}, text));
  });
  return make('ol', { className: 'drift-bars' }, ...items);
}

/** Draws a score as a bar. At full length the score is twice the threshold of drift. */
export const scoreBar = (score: number | null): Pick<Bar, 'share' | 'mark' | 'isDrift'> => ({
  share: (score ?? 0) / 2,
  mark: 0.5,
  isDrift: (score ?? 0) >= 1,
});

export const part = (title: string, note: string, ...children: HTMLElement[]): HTMLElement =>
  make('section', {}, make('h3', {}, title), ...children, make('p', { className: 'hint' }, note));
