/** Draws lines and dots over steps, with axes. */
import { axisBottom, axisLeft } from 'd3-axis';
import { type NumberValue, scaleLinear, scaleLog } from 'd3-scale';
import { select } from 'd3-selection';
import { line } from 'd3-shape';
import { powerOfTen } from '../format.ts';
import { drawing, unhurried } from './drawing.ts';
import type { Dot } from './series.ts';

export interface Drawn {
  /** `with` or `without`, which choose the colour; `dashed` may follow. */
  readonly className: string;
  readonly dots: readonly Dot[];
  readonly as: 'line' | 'dots';
}

export interface Picture {
  readonly drawn: readonly Drawn[];
  /** States the latest numbers for screen readers. */
  readonly label: string;
}

const [LEFT, TOP, BOTTOM, HEIGHT] = [46, 10, 168, 194];
const MARGIN = 12;

/** The bounds to which losses are clamped in the chart. */
const [minLoss, maxLoss] = [1e-6, 1e4];

/**
 * @param scale of the values: logarithmic, from 0 to 1, or fitted to the values
 * @param picture returns what to draw, and is called at each drawing
 * @returns a function that requests a drawing
 */
export function createChart(svg: SVGSVGElement, scale: 'log' | 'share' | 'free', picture: () => Picture): () => void {
  const root = select(svg);
  const down = root.append('g').attr('class', 'axis grid').attr('transform', `translate(${LEFT},0)`);
  const along = root.append('g').attr('class', 'axis').attr('transform', `translate(0,${BOTTOM})`);
  const plot = root.append('g');
  let width = 320;

  function draw(): void {
    const { drawn, label } = picture();
    const dots = drawn.flatMap((each) => each.dots).filter(({ value }) => Number.isFinite(value));
    const lastStep = dots.reduce((max, { step }) => Math.max(max, step), 10);
    const x = scaleLinear([Math.min(dots[0]?.step ?? 0, lastStep - 10), lastStep], [LEFT, width - MARGIN]);
    const y = scaleOf(
      scale,
      dots.map(({ value }) => value),
    );
    svg.setAttribute('aria-label', label);
    const left = axisLeft<NumberValue>(y);
    if (scale === 'log') left.tickFormat((value) => logText(Number(value)));
    down.call(
      left
        .ticks(4, scale === 'share' ? '%' : '~g')
        .tickValues(scale === 'log' ? logTicks(y.domain()) : y.ticks(4))
        .tickSize(LEFT - width + MARGIN)
        .tickPadding(6),
    );
    along.call(
      axisBottom(x)
        .ticks(width / 90, '~s')
        .tickSizeOuter(0)
        .tickPadding(5),
    );
    plot
      .selectAll('path')
      .data(drawn)
      .join('path')
      .attr('class', (each) => `drawn ${each.as} ${each.className}`)
      .attr('d', (each) => (each.as === 'line' ? linePath(each.dots, x, y) : dotPath(each.dots, x, y)));
  }

  const drawSoon = drawing(draw, unhurried);
  // The view box is as wide as the element, so that the chart's letters are as large as the page's.
  new ResizeObserver(([place]) => {
    width = Math.max(place?.contentRect.width ?? 0, 220);
    svg.setAttribute('viewBox', `0 0 ${width} ${HEIGHT}`);
    drawSoon();
  }).observe(svg);
  return drawSoon;
}

type Scale = (value: number) => number;

function scaleOf(kind: 'log' | 'share' | 'free', values: readonly number[]) {
  if (kind === 'share') return scaleLinear([0, 1], [BOTTOM, TOP]);
  if (kind === 'log') {
    const positive = values.map((value) => Math.min(Math.max(value, minLoss), maxLoss));
    return scaleLog([Math.min(...positive, 0.5), Math.max(...positive, 1)], [BOTTOM, TOP]).clamp(true);
  }
  const [low, high] = [Math.min(...values, Infinity), Math.max(...values, -Infinity)];
  const room = high > low ? 0.05 * (high - low) : 0.5;
  return scaleLinear(high >= low ? [low - room, high + room] : [-1, 1], [BOTTOM, TOP]);
}

/** Returns the powers of ten in the domain; where there are at most two, also their multiples by 2 and 5. */
function logTicks([low = 1, high = 1]: readonly number[]): number[] {
  const powers = Array.from({ length: 12 }, (_, i) => 10 ** (i - 6));
  const within = (ticks: readonly number[]): number[] => ticks.filter((tick) => tick >= low && tick <= high);
  const whole = within(powers);
  return whole.length > 2 ? whole : within(powers.flatMap((power) => [power, 2 * power, 5 * power]));
}

/** Formats a tick so that it fits into the left margin, which is four digits wide. */
function logText(value: number): string {
  const exponent = Math.round(Math.log10(value));
  return Math.abs(exponent) > 3 ? powerOfTen(exponent) : String(value);
}

const linePath = (dots: readonly Dot[], x: Scale, y: Scale): string =>
  line<Dot>(
    ({ step }) => x(step),
    ({ value }) => y(value),
  )
    .digits(1)
    .defined(({ value }) => Number.isFinite(value))(dots as Dot[]) ?? '';

/** Draws lines of length zero, whose round caps are the dots. */
const dotPath = (dots: readonly Dot[], x: Scale, y: Scale): string =>
  dots
    .filter(({ value }) => Number.isFinite(value))
    .map(({ step, value }) => `M${x(step).toFixed(1)},${y(value).toFixed(1)}h0`)
    .join('');
