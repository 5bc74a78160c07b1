/** The table of hidden layers: histograms of z before and after Batch Norm, and the gradient norm of the weights. */
import { at } from '../../../training/arrays/index.ts';
import { find, make, makeSvg } from '../dom.ts';
import { number } from '../format.ts';
import { drawing, unhurried } from './drawing.ts';
import type { Histogram, News } from './engine/messages.ts';
import { type Side, sides } from './engine/settings.ts';

type Show<T> = (value: T) => void;

interface View<T> {
  readonly nodes: readonly Node[];
  readonly show: Show<T>;
}

/** @returns a function that shows the latest news at the next drawing */
export function createLayers(): Show<News> {
  const body = find('#layers', HTMLTableSectionElement);
  let rows: readonly Show<Layer>[] = [];
  let latest: News | undefined;
  const drawSoon = drawing(() => {
    if (!latest) return;
    const layers = layersOf(latest);
    if (rows.length !== layers.length) {
      const created = layers.map((_, i) => createRow(i));
      body.replaceChildren(...created.map(({ root }) => root));
      rows = created.map(({ show }) => show);
    }
    layers.forEach((layer, i) => rows[i]?.(layer));
  }, unhurried);
  return (news) => {
    latest = news;
    drawSoon();
  };
}

/** Holds what a row shows. */
interface Layer {
  readonly histograms: readonly (Histogram | undefined)[];
  readonly norms: Readonly<Record<Side, number>>;
  /** Returns the width of a norm's bar as a share of the space, from 0 to 1. */
  readonly width: (norm: number) => number;
}

function layersOf({ sides: news }: News): readonly Layer[] {
  const width = widthOf(sides.flatMap((side) => news[side].layers.map(({ gradientNorm }) => gradientNorm)));
  return news.with.layers.map((withNorm, i) => {
    const without = at(news.without.layers, i);
    return {
      histograms: [withNorm.before, withNorm.after, without.before],
      norms: { with: withNorm.gradientNorm, without: without.gradientNorm },
      width,
    };
  });
}

function createRow(layer: number): { readonly root: Element; readonly show: Show<Layer> } {
  const histograms = [0, 1, 2].map(createHistogram);
  const bars = { with: createBar('with'), without: createBar('without') };
  const root = make(
    'tr',
    {},
    make('th', { scope: 'row' }, String(layer + 1)),
    ...histograms.map(({ nodes }) => make('td', {}, ...nodes)),
    make('td', {}, ...bars.with.nodes, ...bars.without.nodes),
  );
  return {
    root,
    show: (shown) => {
      histograms.forEach(({ show }, i) => {
        show(shown.histograms[i]);
      });
      for (const side of sides) bars[side].show([shown.norms[side], shown.width]);
    },
  };
}

const [WIDTH, HEIGHT] = [128, 34];

function createHistogram(): View<Histogram | undefined> {
  const path = makeSvg('path');
  const ends = [make('span'), make('span')];
  return {
    nodes: [
      makeSvg(
        'svg',
        { class: 'histogram', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' },
        path,
      ),
      make('span', { className: 'ends' }, ...ends),
    ],
    show: (histogram) => {
      const isFinite = histogram !== undefined && Number.isFinite(histogram.minimum + histogram.maximum);
      path.setAttribute('d', isFinite ? outline(histogram.counts) : '');
      const texts = isFinite ? [number(histogram.minimum), number(histogram.maximum)] : ['not finite', ''];
      ends.forEach((end, i) => {
        end.textContent = at(texts, i);
      });
    },
  };
}

/** Draws a histogram's bars. Heights are square roots of the counts, so that small counts are visible. */
function outline(counts: readonly number[]): string {
  const max = Math.max(...counts);
  const step = WIDTH / counts.length;
  return counts
    .map((count, i) => {
      const height = HEIGHT * Math.sqrt(count / max);
      return count > 0 ? `M${i * step},${HEIGHT}v${(-height).toFixed(1)}h${step}V${HEIGHT}Z` : '';
    })
    .join('');
}

/** Returns a logarithmic scale for the bars: gradients of the two networks may be a million times apart. */
function widthOf(norms: readonly number[]): (norm: number) => number {
  const logs = norms.filter((norm) => Number.isFinite(norm) && norm > 0).map(Math.log10);
  const [low, high] = [Math.floor(Math.min(...logs, 0)) - 1, Math.ceil(Math.max(...logs, 0))];
  return (norm) => (norm > 0 ? Math.max(0, (Math.log10(norm) - low) / (high - low)) : 0);
}

function createBar(side: Side): View<readonly [norm: number, width: (norm: number) => number]> {
  const bar = make('i', { className: `bar ${side}` });
  const value = make('span', { className: 'bar-value' });
  return {
    nodes: [bar, value],
    show: ([norm, width]) => {
      const isFinite = Number.isFinite(norm);
      bar.style.width = `${(100 * (isFinite ? width(norm) : 1)).toFixed(1)}%`;
      value.textContent = isFinite ? number(norm) : 'not finite';
    },
  };
}
