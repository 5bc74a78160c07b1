/**
 * Draws figures: small panels side by side that wrap on a narrow screen, and one legend for all. A panel is an SVG,
 * drawn by Observable Plot; its colours are the page's, so that it follows light and dark.
 */
import * as Plot from '@observablehq/plot';
import { symbol, symbolCircle, symbolSquare, type SymbolType } from 'd3-shape';
import { parseHTML } from 'linkedom';
import { deviation, mean } from '../lab/statistics.ts';
import { escape, prose } from './prose.ts';

export interface Figure {
  readonly caption: string;
  readonly legend?: readonly Series[];
  readonly panels: readonly Panel[];
}

/** Names what a colour, a symbol and a dash stand for. */
export interface Series {
  readonly name: string;
  readonly colour: string;
  readonly shape?: SymbolType;
  readonly dash?: string;
}

export interface Panel {
  readonly title?: string;
  /** The width in pixels of the drawing; a screen may give it a quarter less. */
  readonly width: number;
  readonly svg: string;
}

export interface PanelOptions extends Plot.PlotOptions {
  readonly title?: string;
  /** Describes what the panel shows, for readers who do not see it. */
  readonly alt: string;
}

/** The colours of Okabe and Ito, which colour-blind readers tell apart, as the style sheet darkens or lightens them. */
export const colours = {
  blue: 'var(--blue)',
  orange: 'var(--orange)',
  green: 'var(--green)',
  purple: 'var(--purple)',
  grey: 'var(--grey)',
} as const;

/**
 * Blue always stands for Batch Norm or its running statistics, orange for no Batch Norm or the mini-batch's own
 * statistics.
 */
export const withNorm: Series = { name: 'with Batch Norm', colour: colours.blue, shape: symbolCircle };
export const without: Series = { name: 'without Batch Norm', colour: colours.orange, shape: symbolSquare, dash: '5 3' };

/** A document for Plot: this code does not run in a browser, and so lacks its types. */
const { document } = parseHTML('<html><body></body></html>') as unknown as { readonly document: never };

export function panel({ title, alt, width = 360, ...options }: PanelOptions): Panel {
  const drawn = Plot.plot({
    document,
    width,
    height: 250,
    marginTop: 26,
    marginLeft: 48,
    marginBottom: 38,
    marginRight: 14,
    insetLeft: 6,
    insetRight: 6,
    style: { fontFamily: 'inherit', background: 'none' },
    ...options,
  }) as unknown as { readonly outerHTML: string };
  const svg = compact(drawn.outerHTML);
  return {
    ...(title !== undefined && { title }),
    width,
    svg: svg.replace('<svg', () => `<svg role="img" aria-label="${escape(alt)}"`),
  };
}

/**
 * Shortens an SVG: rounds coordinates to a tenth of a pixel, and drops the styles that the page sets for all figures.
 * Plot also labels its groups (“dot”, “x-axis tick”); these labels are dropped, because ARIA allows none inside what is
 * one picture to a screen reader.
 */
const compact = (svg: string): string =>
  svg
    .replaceAll(/<style>[^]*?<\/style>/g, '')
    .replaceAll(/ aria-[a-z]+="[^"]*"/g, '')
    .replaceAll(/ (?:d|transform|[xy][12]?|c[xy]|width|height)="[^"]*"/g, (attribute) =>
      attribute.replaceAll(/\d+\.\d{2,}/g, (digits) => String(Number(Number(digits).toFixed(1)))),
    );

export interface Summary {
  readonly x: number | string;
  readonly mean: number;
  readonly deviation: number;
}

/** Summarizes repeats at the same x as one point with an error bar. */
export function summarize(points: readonly { readonly x: number; readonly y: number }[]): readonly Summary[] {
  const groups = Map.groupBy(points, ({ x }) => x);
  return [...groups]
    .map(([x, group]) => ({ x, values: group.map(({ y }) => y) }))
    .map(({ x, values }) => ({ x, mean: mean(values), deviation: deviation(values) }))
    .toSorted((a, b) => a.x - b.x);
}

/** Draws a line through the means of the repeats, each with a bar of one standard deviation to either side. */
export function repeats(points: readonly Summary[], { colour, shape = symbolCircle, dash }: Series): Plot.Markish[] {
  const position = { x: 'x', y: 'mean', stroke: colour } as const;
  return [
    Plot.ruleX(points, {
      x: 'x',
      y1: ({ mean, deviation }: Summary) => mean - deviation,
      y2: ({ mean, deviation }: Summary) => mean + deviation,
      stroke: colour,
      strokeWidth: 1.25,
    }),
    Plot.line(points, { ...position, strokeWidth: 1.75, ...(dash !== undefined && { strokeDasharray: dash }) }),
    Plot.dot(points, { ...position, symbol: shape, fill: 'var(--card)', strokeWidth: 1.75, r: 3.2 }),
  ];
}

/** Returns the HTML of a figure. */
export function figureHtml({ caption, legend = [], panels }: Figure): string {
  const width = Math.max(...panels.map((panel) => panel.width));
  return `<figure${panels.length === 1 ? ' class="single"' : ''}>
${legend.length > 0 ? `<ul class="legend">${legend.map(legendItem).join('')}</ul>` : ''}
<div class="panels" style="--width: ${width}px">
${panels.map(panelHtml).join('\n')}
</div>
<figcaption>${prose(caption)}</figcaption>
</figure>`;
}

const panelHtml = ({ title, svg }: Panel): string =>
  `<div class="panel">${title === undefined ? '' : `<h4>${prose(title)}</h4>`}${svg}</div>`;

function legendItem({ name, colour, shape, dash }: Series): string {
  const line = `<path d="M1,7H27" stroke="${colour}"${dash === undefined ? '' : ` stroke-dasharray="${dash}"`}/>`;
  const mark = shape === undefined ? '' : markHtml(shape, colour);
  return `<li><svg viewBox="0 0 28 14" aria-hidden="true">${line}${mark}</svg>${prose(name)}</li>`;
}

const markHtml = (shape: SymbolType, colour: string): string =>
  `<path d="${symbol(shape, 38)() ?? ''}" transform="translate(14,7)" fill="var(--card)" stroke="${colour}"/>`;
