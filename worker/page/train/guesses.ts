/**
 * Shows one network's probabilities for the watched sample: by the running statistics, and within the next mini-batch.
 */
import { at } from '../../../training/arrays/index.ts';
import { find, make } from '../dom.ts';
import { percent } from '../format.ts';
import { drawing, unhurried } from './drawing.ts';
import type { SideNews } from './engine/messages.ts';
import type { Side } from './engine/settings.ts';

/** The number of classes shown; where there are more, the most probable ones are shown. */
const max = 10;

export interface Guesses {
  readonly begin: (classes: readonly string[]) => void;
  /** @param label the true class of the sample */
  readonly showLabel: (label: number) => void;
  readonly showNews: (news: SideNews) => void;
}

export function createGuesses(side: Side): Guesses {
  const list = find('.guesses', HTMLElement, find(`[data-side=${side}]`, HTMLElement));
  let classes: readonly string[] = [];
  let label = -1;
  let rows: readonly Row[] = [];
  let latest: SideNews['sample'] | undefined;
  const drawSoon = drawing(() => {
    if (!latest) return;
    const { running, batch } = latest;
    const shown = shownOf(running);
    rows.forEach((row, i) => {
      const index = at(shown, i);
      row.show(at(classes, index), at(running, index), at(batch, index), index === label);
    });
  }, unhurried);
  return {
    begin: (all) => {
      classes = all;
      latest = undefined;
      rows = all.slice(0, max).map(() => createRow(side));
      list.replaceChildren(...rows.map(({ root }) => root));
    },
    showLabel: (of) => {
      label = of;
      drawSoon();
    },
    showNews: ({ sample }) => {
      latest = sample;
      drawSoon();
    },
  };
}

function shownOf(running: Float32Array): readonly number[] {
  const all = Array.from(running.keys());
  if (all.length <= max) return all;
  return all.toSorted((a, b) => at(running, b) - at(running, a)).slice(0, max);
}

interface Row {
  readonly root: Element;
  readonly show: (name: string, running: number, batch: number, isRight: boolean) => void;
}

function createRow(side: Side): Row {
  const [name, value] = [make('span', { className: 'guess-name' }), make('span', { className: 'guess-value' })];
  const [bar, dot] = [make('i', { className: `bar ${side}` }), make('i', { className: 'guess-dot' })];
  const track = make('span', { className: 'guess-track' }, bar, ...(side === 'with' ? [dot] : []));
  track.setAttribute('aria-hidden', 'true');
  const root = make('li', {}, name, track, value);
  const width = (share: number): string => `${(100 * (Number.isFinite(share) ? share : 0)).toFixed(1)}%`;
  return {
    root,
    show: (text, running, batch, isRight) => {
      name.textContent = isRight ? `${text} ✓` : text;
      root.classList.toggle('right', isRight);
      bar.style.width = width(running);
      dot.style.left = width(batch);
      value.textContent = Number.isFinite(running) ? percent(running) : 'not finite';
    },
  };
}
