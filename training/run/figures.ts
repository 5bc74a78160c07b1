/** Draws a run's curves as SVG files: training and validation by epoch. */
import { join } from 'node:path';
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { writeAtomically, makeFolder } from '../files/index.ts';
import type { Evaluation, Score } from '../objective/index.ts';
import { bestEpoch, type EpochResult } from '../trainer/index.ts';

/** Writes `loss.svg`, and a file named after the score: `accuracy.svg` or `rmse.svg`. */
export async function writeFigures(folder: string, history: readonly EpochResult[], score: Score): Promise<void> {
  if (history.length === 0) return;
  await makeFolder(folder);
  await writeAtomically(join(folder, 'loss.svg'), curves('loss', 'loss', history));
  await writeAtomically(join(folder, `${score.key}.svg`), curves('score', score.name, history));
}

interface Point {
  readonly epoch: number;
  readonly part: 'train' | 'validation';
  readonly value: number;
}

/** Draws the curves. The best epoch by validation loss is circled. */
export function curves(metric: keyof Evaluation, title: string, history: readonly EpochResult[]): string {
  const points = history.flatMap(({ epoch, train, validation }): readonly Point[] => [
    { epoch, part: 'train', value: train[metric] },
    { epoch, part: 'validation', value: validation[metric] },
  ]);
  const channels = { x: 'epoch', y: 'value', z: 'part', stroke: 'part' } as const;
  const best = points.filter(({ epoch, part }) => part === 'validation' && epoch === bestEpoch(history));
  const { document } = parseHTML('<html><body></body></html>') as unknown as { readonly document: object };
  const figure = plot({
    document,
    width: 640,
    height: 360,
    marginRight: 80,
    style: { background: 'white', color: '#222' },
    x: { label: 'epoch', ticks: Math.min(history.length, 10), tickFormat: 'd' },
    y: { label: title, grid: true, nice: true },
    color: { domain: ['train', 'validation'], range: ['#e69f00', '#0072b2'] },
    marks: [
      Plot.lineY(points, { ...channels, marker: history.length <= 30 }),
      Plot.text(
        points,
        Plot.selectLast({
          ...channels,
          stroke: null,
          fill: 'part',
          text: 'part',
          dx: 8,
          textAnchor: 'start',
        }),
      ),
      Plot.dot(best, { x: 'epoch', y: 'value', stroke: 'part', r: 7, strokeWidth: 1.5 }),
    ],
  });
  figure.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  return `${figure.outerHTML}\n`;
}

/** The members of an SVG element that are used, since the project's types do not include the DOM. */
interface Svg {
  readonly setAttribute: (name: string, value: string) => void;
  readonly outerHTML: string;
}

const plot = Plot.plot as unknown as (options: Omit<Plot.PlotOptions, 'document'> & { document: object }) => Svg;
