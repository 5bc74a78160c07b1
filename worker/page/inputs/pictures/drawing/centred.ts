/**
 * Prepares a drawing as MNIST prepares its digits, and as the Worker prepares pictures of drawings: fits it into a box
 * of 20 of 28 pixels, aspect kept, then places its centre of mass at the picture's centre.
 * http://yann.lecun.com/exdb/mnist/ (LeCun, Cortes and Burges)
 */
import type { Pixels, Size } from '../pixels.ts';
import { rasterize } from './rasterize.ts';
import { mapPoints, type Point, type Stroke } from './stroke.ts';

const BOX = 20 / 28;
/**
 * The maximum width of a line: a digit drawn small would otherwise come out bold. MNIST's lines are two to three of 28
 * pixels wide.
 */
const WIDEST_PEN = 3 / 28;

/**
 * @param strokes hold at least one point, in any unit
 * @param pen the width of the strokes, in the same unit
 */
export function toCentred(strokes: readonly Stroke[], pen: number, size: Size): Pixels {
  const { rows, columns } = size;
  const { left, top, width, height } = boundsOf(strokes);
  const scale = Math.min((BOX * columns) / (width + pen), (BOX * rows) / (height + pen));
  const line = Math.min(pen * scale, WIDEST_PEN * Math.min(rows, columns));
  const fitted = mapPoints(strokes, ([x, y]): Point => [
    columns / 2 + (x - left - width / 2) * scale,
    rows / 2 + (y - top - height / 2) * scale,
  ]);
  const [massX, massY] = centreOfMass(rasterize(fitted, line, size), size);
  const centred = mapPoints(fitted, ([x, y]): Point => [x + columns / 2 - massX, y + rows / 2 - massY]);
  return rasterize(centred, line, size);
}

function boundsOf(strokes: readonly Stroke[]) {
  const points = strokes.flat();
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  return { left, top, width: Math.max(...xs) - left, height: Math.max(...ys) - top };
}

/** Returns the centre of mass in pixels from the top left corner; a pixel's mass lies in its middle. */
export function centreOfMass(pixels: Pixels, { columns }: Size): Point {
  let [mass, x, y] = [0, 0, 0];
  pixels.forEach((ink, i) => {
    mass += ink;
    x += ink * ((i % columns) + 0.5);
    y += ink * (Math.floor(i / columns) + 0.5);
  });
  return [x / mass, y / mass];
}
