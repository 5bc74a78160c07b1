/**
 * Draws the chart of one channel: two number lines with the sample's values upon them, z before and z̃ after Batch
 * Norm, and between them the ribbon that carries μ ± σ to β ± γ.
 */
import { axisBottom } from 'd3-axis';
import { type ScaleLinear, scaleLinear, scaleSqrt } from 'd3-scale';
import { select } from 'd3-selection';
import { area, curveStepAfter } from 'd3-shape';
import { at } from '../../../../training/arrays/index.ts';
import type { Statistics } from '../../api/explain.ts';
import type { Channel, ChannelPassage, Histogram } from './channel.ts';

type Scale = ScaleLinear<number, number>;

const LEFT = 10;
const RIGHT = 350;
const HEIGHT = 62;
/** `BEFORE` and `AFTER` are the heights of the number lines. */
const BEFORE = 74;
const AFTER = 214;

export function drawChart(svg: SVGSVGElement, channel: Channel, statistics: Statistics): void {
  // With running statistics nothing of the mini-batch is drawn, so nothing moves with it.
  const drawn = statistics === 'running' ? [channel.running] : [channel.running, channel.batch];
  const x = scaleOf(drawn.flatMap(({ before, mean, deviation }) => [...ends(before), ...spread(mean, 2 * deviation)]));
  const y = scaleOf([...drawn.flatMap(({ after }) => ends(after)), ...spread(channel.beta, 2 * channel.gamma)]);
  const kinds: readonly Statistics[] = statistics === 'running' ? ['running'] : ['running', 'batch'];

  select(svg)
    .select('.bands')
    .selectAll('path')
    .data(kinds)
    .join('path')
    .attr('class', (kind) => `ribbon ${kind}${kind === statistics ? ' in-use' : ''}`)
    .attr('d', (kind) => ribbon(channel, channel[kind], x, y));
  const { mean, before, after } = channel[statistics];
  select(svg).select('.before-label').attr('x', x(mean));
  select(svg).select('.after-label').attr('x', y(channel.beta));
  drawRow(svg, '.before', before, x, BEFORE);
  drawRow(svg, '.after', after, y, AFTER);
}

function drawRow(svg: SVGSVGElement, row: string, histogram: Histogram, x: Scale, baseline: number): void {
  const group = select(svg).select<SVGGElement>(row);
  group
    .selectAll('.axis')
    .data([x])
    .join('g')
    .attr('class', 'axis')
    .attr('transform', `translate(0,${baseline})`)
    .each(function (scale) {
      select(this as SVGGElement).call(axisBottom(scale).ticks(5).tickSizeOuter(0).tickPadding(4));
    });
  group
    .selectAll('.values')
    .data([histogram])
    .join('path')
    .attr('class', 'values')
    .attr('d', (values) => outline(values, x, baseline));
}

/**
 * Draws the ribbon from μ − σ … μ + σ on the upper number line to β − γ … β + γ on the lower, over the height of both
 * histograms.
 */
function ribbon({ gamma, beta }: Channel, { mean, deviation }: ChannelPassage, x: Scale, y: Scale): string {
  const side = (sign: number): [string, string] => [
    `${x(mean + sign * deviation)},${BEFORE}`,
    `${y(beta + sign * gamma)},${AFTER - HEIGHT}`,
  ];
  const top = (sign: number): string => `${x(mean + sign * deviation)},${BEFORE - HEIGHT}`;
  const bottom = (sign: number): string => `${y(beta + sign * gamma)},${AFTER}`;
  const leftEdge = [top(-1), ...side(-1), bottom(-1)];
  const rightEdge = [top(1), ...side(1), bottom(1)];
  return `M${leftEdge.join('L')}L${rightEdge.reverse().join('L')}Z`;
}

/**
 * Draws a histogram as an area of steps, or as a pin when all values are equal. Heights are square roots of counts, so
 * that small counts are visible.
 */
function outline({ minimum, maximum, counts }: Histogram, x: Scale, baseline: number): string {
  if (minimum === maximum) return pin(x(minimum), baseline);
  const height = scaleSqrt([0, Math.max(...counts)], [0, HEIGHT - 8]);
  const edge = (bin: number): number => x(minimum + ((maximum - minimum) * bin) / counts.length);
  const steps = area<number>(
    (_, bin) => edge(bin),
    baseline,
    (count) => baseline - height(count),
  ).curve(curveStepAfter);
  return steps([...counts, at(counts, counts.length - 1)]) ?? '';
}

/** Draws a line with a round head. */
function pin(x: number, baseline: number): string {
  const [top, radius] = [baseline - HEIGHT / 2, 5];
  const circle = `M${x - radius},${top}a${radius},${radius} 0 1 1 ${2 * radius},0a${radius},${radius} 0 1 1 ${-2 * radius},0Z`;
  return `M${x - 1},${baseline}V${top}H${x + 1}V${baseline}Z${circle}`;
}

function scaleOf(values: readonly number[]): Scale {
  return scaleLinear([Math.min(...values), Math.max(...values)], [LEFT, RIGHT]).nice(8);
}

const ends = ({ minimum, maximum }: Histogram): number[] => [minimum, maximum];
const spread = (centre: number, reach: number): number[] => [centre - reach, centre + reach];
