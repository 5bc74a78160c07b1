/** Shows how the answer changes along one column while all others stay: as a line, or as a bar for each category. */
import { at } from '../../../../training/arrays/index.ts';
import { type Answer, scoreIn } from '../../api/answer.ts';
import type { Column, Model } from '../../api/model.ts';
import { createBars } from '../../answer/bars.ts';
import { card, make, makeSvg } from '../../dom.ts';
import { number, percent } from '../../format.ts';
import { whenQuiet } from '../../timing.ts';
import { drawCurve } from './curve-chart.ts';
import { cellsAlong, type Row } from './row.ts';

export interface Curve {
  readonly root: HTMLElement;
  readonly choose: (column: Column) => void;
  readonly show: (row: Row, answer: Answer) => void;
}

/** The delay before the curve is asked for: it is one request, which waits until the row rests. */
const QUIET_MS = 120;

/** @param answersTo asks about many rows at once */
export function createCurve(
  { parameters: { columns = [] } }: Model,
  answersTo: (rows: readonly Row[]) => Promise<readonly Answer[]>,
): Curve {
  const select = make(
    'select',
    { id: 'curve-column' },
    ...columns.map(({ name }) => make('option', { value: name }, name)),
  );
  // A curve over numbers shows more than bars of categories.
  select.value = columns.find(({ kind }) => kind !== 'categorical')?.name ?? columns[0]?.name ?? '';
  const caption = make('p', { className: 'caption' });
  const place = make('div', { className: 'curve-place' });
  const head = make('div', { className: 'curve-head' }, make('label', { htmlFor: select.id }, 'Along'), select);
  const root = card('curve', 'If one value changed', head, place, caption);
  const svg = makeSvg('svg', { role: 'img', class: 'chart' });
  let shown: { readonly row: Row; readonly answer: Answer } | undefined;

  const draw = whenQuiet(QUIET_MS, async (isNewest, row: Row, answer: Answer) => {
    const column = columns.find(({ name }) => name === select.value);
    if (!column) return;
    const label = answer.kind === 'classes' ? answer.label : null;
    const cells = cellsAlong(column);
    const answers = await answersTo(cells.map((cell) => ({ ...row, [column.name]: cell }))).catch(() => []);
    if (!isNewest()) return;
    const scores = answers.map((each) => scoreIn(each, label));
    caption.textContent = captionOf(column, label, scores);
    if (scores.length === 0) {
      place.replaceChildren();
      return;
    }
    if (column.kind === 'categorical') {
      const bars = createBars({ isShare: answer.kind === 'classes' });
      bars.show(
        column.categories.slice(0, cells.length).map((name, i) => [name, at(scores, i)]),
        String(row[column.name]),
      );
      place.replaceChildren(bars.root);
      return;
    }
    place.replaceChildren(svg);
    drawCurve(svg, {
      column,
      cells,
      scores,
      isShare: answer.kind === 'classes',
      now: { cell: row[column.name] ?? null, score: scoreIn(answer, label) },
    });
    svg.setAttribute('aria-label', caption.textContent);
  });
  const redraw = (): void => {
    if (shown) draw(shown.row, shown.answer);
  };
  select.addEventListener('change', redraw);
  return {
    root,
    choose: ({ name }) => {
      if (select.value === name) return;
      select.value = name;
      redraw();
    },
    show: (row, answer) => {
      shown = { row, answer };
      redraw();
    },
  };
}

function captionOf({ name }: Column, label: string | null, scores: readonly number[]): string {
  const known = scores.filter((score) => Number.isFinite(score));
  if (known.length === 0) return 'The model has no answer along this column.';
  const [min, max] = [Math.min(...known), Math.max(...known)];
  const what = label === null ? 'The answer' : `The probability of ${label}`;
  const write = label === null ? number : percent;
  return `${what} along ${name}, all else as it is: from ${write(min)} to ${write(max)}.`;
}
