import { describe, expect, it } from 'vitest';
import { centreOfMass, toCentred } from '../../../worker/page/inputs/pictures/drawing/centred.ts';
import { rasterize } from '../../../worker/page/inputs/pictures/drawing/rasterize.ts';
import { mapPoints, type Stroke } from '../../../worker/page/inputs/pictures/drawing/stroke.ts';

const PEN = 0.085;
const SIDE = 28;
const size = { rows: SIDE, columns: SIDE };
const toMnist = (strokes: readonly Stroke[], pen: number) => toCentred(strokes, pen, size);

const drawings: Record<string, Stroke[]> = {
  'a bar': [[[0.5, 0.1], [0.5, 0.9]]], // oxfmt-ignore
  'a wide line': [[[0.05, 0.5], [0.95, 0.52]]], // oxfmt-ignore
  'a seven': [[[0.3, 0.2], [0.7, 0.2], [0.45, 0.85]]], // oxfmt-ignore
  'a dot': [[[0.2, 0.3]]],
  'two strokes': [[[0.3, 0.2], [0.3, 0.5], [0.7, 0.5]], [[0.65, 0.2], [0.6, 0.9]]], // oxfmt-ignore
};

/** Returns the rows and columns between the first and the last inked pixel. */
function extent(pixels: Uint8Array): { readonly width: number; readonly height: number } {
  const inked = [...pixels.keys()].filter((i) => (pixels[i] ?? 0) > 127);
  const span = (values: number[]): number => Math.max(...values) - Math.min(...values) + 1;
  return { width: span(inked.map((i) => i % SIDE)), height: span(inked.map((i) => Math.floor(i / SIDE))) };
}

describe('a drawing, prepared as MNIST prepares its digits', () => {
  it.each(Object.entries(drawings))('has its centre of mass in the middle: %s', (_, strokes) => {
    const [x, y] = centreOfMass(toMnist(strokes, PEN), size);
    expect(Math.abs(x - SIDE / 2), `x ${x}`).toBeLessThan(0.1);
    expect(Math.abs(y - SIDE / 2), `y ${y}`).toBeLessThan(0.1);
  });

  it.each(Object.entries(drawings))('fits into a box of 20 pixels: %s', (_, strokes) => {
    const { width, height } = extent(toMnist(strokes, PEN));
    expect(Math.max(width, height)).toBeLessThanOrEqual(21);
  });

  it('depends neither on where on the pad it was drawn nor, but for the pen, on how large', () => {
    const { 'a seven': seven = [] } = drawings;
    const smaller = mapPoints(seven, ([x, y]) => [x / 2 + 0.1, y / 2 + 0.4]);
    expect(toMnist(smaller, PEN / 2)).toEqual(toMnist(seven, PEN));
  });
});

describe('rasterize', () => {
  it('greys a pixel by the share that a stroke covers', () => {
    const pixels = rasterize([[[0, 10.25], [28, 10.25]]], 2, size); // oxfmt-ignore
    const column = [8, 9, 10, 11, 12].map((row) => pixels[row * SIDE + 14]);
    expect(column).toEqual([0, 191, 255, 64, 0]);
  });

  it('leaves out what lies beyond the picture', () => {
    expect(rasterize([[[-20, -20], [-10, 50]]], 2, size)).toEqual(new Uint8Array(SIDE * SIDE)); // oxfmt-ignore
  });
});
