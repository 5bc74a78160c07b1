/** Draws the line of a curve, with its axes and a mark where the row is. */
import { axisBottom, axisLeft } from 'd3-axis';
import { scaleLinear, scaleUtc } from 'd3-scale';
import { select } from 'd3-selection';
import { line } from 'd3-shape';
import { at } from '../../../../training/arrays/index.ts';
import type { DateColumn, NumericColumn } from '../../api/model.ts';
import { type Cell, instantOf } from './row.ts';

export interface CurveData {
  readonly column: NumericColumn | DateColumn;
  readonly cells: readonly Cell[];
  readonly scores: readonly number[];
  /** Is true when scores are probabilities. */
  readonly isShare: boolean;
  /** The place of the row. */
  readonly now: { readonly cell: Cell; readonly score: number };
}

const [LEFT, TOP, BOTTOM, HEIGHT] = [58, 12, 208, 240];
/** The space to the right of the axis, for the last number. */
const MARGIN = 14;

export function drawCurve(svg: SVGSVGElement, { column, cells, scores, isShare, now }: CurveData): void {
  // The chart is as wide as its place, so that its letters are as large as the page's.
  const width = Math.max(svg.clientWidth, 220);
  svg.setAttribute('viewBox', `0 0 ${width} ${HEIGHT}`);
  const right = width - MARGIN;
  const placeOf = (cell: Cell): number => (column.kind === 'date' ? instantOf(column, cell) : Number(cell));
  const places = cells.map(placeOf);
  const here = now.cell === null ? NaN : placeOf(now.cell);
  const ends = [...places, ...(Number.isFinite(here) ? [here] : [])];
  const domain = [Math.min(...ends), Math.max(...ends)];
  const time = column.kind === 'date' ? scaleUtc(domain, [LEFT, right]) : undefined;
  const linear = scaleLinear(domain, [LEFT, right]);
  const x = time ?? linear;
  const finite = [...scores, now.score].filter((score) => Number.isFinite(score));
  const y = isShare
    ? scaleLinear([0, 1], [BOTTOM, TOP])
    : scaleLinear([Math.min(...finite), Math.max(...finite)], [BOTTOM, TOP]).nice(5);
  const path = line<number>(
    (_, i) => x(at(places, i)),
    (score) => y(score),
  ).defined((score) => Number.isFinite(score));
  const root = select(svg);
  root.selectAll('*').remove();
  const ticks = axisLeft(y)
    .ticks(5, isShare ? '%' : '~s')
    .tickSize(LEFT - right)
    .tickPadding(8);
  root.append('g').attr('class', 'axis grid').attr('transform', `translate(${LEFT},0)`).call(ticks);
  const along = root.append('g').attr('class', 'axis').attr('transform', `translate(0,${BOTTOM})`);
  if (time)
    along.call(
      axisBottom(time)
        .ticks(width / 90)
        .tickSizeOuter(0)
        .tickPadding(6),
    );
  else
    along.call(
      axisBottom(linear)
        .ticks(width / 70, '~r')
        .tickSizeOuter(0)
        .tickPadding(6),
    );
  root
    .append('path')
    .attr('class', 'curve-line')
    .attr('d', path([...scores]));
  if (!Number.isFinite(here) || !Number.isFinite(now.score)) return;
  root
    .append('line')
    .attr('class', 'curve-here')
    .attr('x1', x(here))
    .attr('x2', x(here))
    .attr('y1', BOTTOM)
    .attr('y2', y(now.score));
  root.append('circle').attr('class', 'curve-now').attr('r', 5.5).attr('cx', x(here)).attr('cy', y(now.score));
}
