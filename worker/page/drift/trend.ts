/** Draws whether windows had drifted, one bar for each, in the order of time. */
import type { TrendWindow } from '../api/drift.ts';
import { make, makeSvg } from '../dom.ts';
import { decimal, plural } from '../format.ts';

const [WIDTH, HEIGHT, BASE] = [360, 96, 76];
/** The maximum score that is drawn; higher bars are cut. */
const MAX_SCORE = 2;

const hour = new Intl.DateTimeFormat('en', { weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
export const timeOf = (start: number): string => hour.format(new Date(start));

/** @param hours the length of one window */
export function drawTrend(trend: readonly TrendWindow[], hours: number): HTMLElement {
  const [first, last] = [trend[0], trend.at(-1)];
  if (!first || !last) return make('p', { className: 'hint' }, 'No window yet.');
  const length = hours * 3_600_000;
  const span = Math.max((last.start - first.start) / length + 1, 6);
  const width = WIDTH / span;
  const y = (score: number): number => BASE - (BASE - 6) * Math.min(score / MAX_SCORE, 1);
  const bars = trend.map((window) => {
    const x = ((window.start - first.start) / length) * width;
    const top = y(window.score ?? 0);
    const kind = window.drifted === null ? 'is-unknown' : window.drifted ? 'is-drift' : '';
    const size = { x: x + 1, y: top, width: Math.max(width - 2, 1), height: Math.max(BASE - top, 1) };
    return makeSvg('rect', { ...size, class: kind }, makeSvg('title', {}, describe(window)));
  });
  const line = makeSvg('line', { x1: 0, x2: WIDTH, y1: y(1), y2: y(1), class: 'drift-line' });
  const label = (x: number, anchor: string, text: string) =>
    makeSvg('text', { x, y: HEIGHT - 4, 'text-anchor': anchor }, text);
  const start = label(0, 'start', timeOf(first.start));
  const labels = first === last ? [start] : [start, label(WIDTH, 'end', timeOf(last.start))];
  const title = `Windows from ${timeOf(first.start)} to ${timeOf(last.start)}. ${trend.map(describe).join('. ')}.`;
  const attributes = { class: 'drift-trend', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': title };
  return make('figure', {}, makeSvg('svg', attributes, ...bars, line, ...labels));
}

const describe = ({ start, samples, drifted, score }: TrendWindow): string =>
  `${timeOf(start)}: ${drifted === null ? 'not judged' : drifted ? 'drifted' : 'no drift'}, ` +
  `${plural(samples, 'sample')}, ${decimal(score ?? 0)} of the threshold`;
