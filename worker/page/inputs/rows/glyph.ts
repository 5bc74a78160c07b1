/** Draws a row so small that sixty fit: a bar for each column, as high as its value stands in what training saw. */
import type { Column } from '../../api/model.ts';
import { makeSvg } from '../../dom.ts';
import { type Row, shareOf } from './row.ts';

const MAX = 12;

export function drawRow(columns: readonly Column[], row: Row): SVGSVGElement {
  const shown = columns.slice(0, MAX);
  const bars = shown.map((column, i) => {
    const share = shareOf(column, row[column.name]);
    const height = Number.isNaN(share) ? 0 : 1 + 8 * Math.min(Math.max(share, 0), 1);
    return makeSvg('rect', { x: i + 0.15, y: 10 - height, width: 0.7, height });
  });
  return makeSvg('svg', { viewBox: `0 0 ${shown.length} 10`, preserveAspectRatio: 'none', class: 'glyph' }, ...bars);
}
