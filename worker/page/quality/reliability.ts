/**
 * Draws the reliability diagram: how often answers of a probability were right, beside the line on which both are the
 * same.
 */
import type { Calibration } from '../api/model.ts';
import { make, makeSvg } from '../dom.ts';
import { percent } from '../format.ts';

const [SIZE, LEFT, TOP, BOTTOM] = [276, 60, 16, 40];
const RIGHT = SIZE - 16;
const FLOOR = SIZE - BOTTOM;
/** The minimum and maximum radius of a dot. Its area is the share of the samples, but none is too small to be seen. */
const [MIN_RADIUS, MAX_RADIUS] = [3, 13];

export function drawReliability({ error, bins }: Calibration): HTMLElement {
  const all = bins.reduce((sum, { samples }) => sum + samples, 0);
  const x = (share: number): number => LEFT + share * (RIGHT - LEFT);
  const y = (share: number): number => FLOOR - share * (FLOOR - TOP);
  const line = (className: string, x1: number, y1: number, x2: number, y2: number) =>
    makeSvg('line', { class: className, x1, y1, x2, y2 });
  const ticks = [0, 0.5, 1].flatMap((share) => [
    line('reliability-grid', LEFT, y(share), RIGHT, y(share)),
    makeSvg('text', { x: LEFT - 6, y: y(share) + 4, 'text-anchor': 'end' }, `${100 * share} %`),
    makeSvg('text', { x: x(share), y: FLOOR + 16, 'text-anchor': share === 1 ? 'end' : 'middle' }, `${100 * share} %`),
  ]);
  const dots = bins.map(({ samples, confidence, accuracy }) => {
    const r = Math.max(MIN_RADIUS, MAX_RADIUS * Math.sqrt(samples / all));
    const title = `${samples} answers of ${percent(confidence)}: ${percent(accuracy)} right`;
    return makeSvg(
      'circle',
      { class: 'reliability-dot', cx: x(confidence), cy: y(accuracy), r },
      makeSvg('title', {}, title),
    );
  });
  const texts = bins.map(({ confidence, accuracy }) => `${percent(confidence)} said, ${percent(accuracy)} right`);
  const picture = makeSvg(
    'svg',
    {
      class: 'reliability',
      viewBox: `0 0 ${SIZE} ${SIZE}`,
      role: 'img',
      'aria-label': `Reliability: ${texts.join('; ')}`,
    },
    ...ticks,
    line('reliability-ideal', x(0), y(0), x(1), y(1)),
    ...dots,
    makeSvg('text', { x: (LEFT + RIGHT) / 2, y: SIZE - 6, 'text-anchor': 'middle' }, 'probability said'),
    makeSvg(
      'text',
      { transform: `translate(13 ${(TOP + FLOOR) / 2}) rotate(-90)`, 'text-anchor': 'middle' },
      'share right',
    ),
  );
  return make(
    'figure',
    {},
    make('h3', {}, 'Do its probabilities mean what they say?'),
    picture,
    make(
      'figcaption',
      { className: 'hint' },
      `Dots on the line do: on ${all} test samples they are ${percent(error)} off in the mean (expected calibration error).`,
    ),
  );
}
