/**
 * A drawing as MNIST prepares its digits: fitted into a box of 20 × 20 pixels, aspect kept, then placed so that its
 * centre of mass is the centre of 28 × 28. http://yann.lecun.com/exdb/mnist/ (LeCun, Cortes and Burges)
 */
import { type Pixels, SIDE } from '../pixels.ts';
import { rasterize } from './rasterize.ts';
import { mapPoints, type Point, type Stroke } from './stroke.ts';

const BOX = 20;
const CENTRE = SIDE / 2;
/** A digit drawn small would come out bold; MNIST's lines are two to three pixels wide. */
const WIDEST_PEN = 3;

/**
 * @param strokes at least one point, in any unit
 * @param pen the width of the strokes, in the same unit
 */
export function toMnist(strokes: readonly Stroke[], pen: number): Pixels {
  const { left, top, width, height } = boundsOf(strokes);
  const scale = BOX / (Math.max(width, height) + pen);
  const line = Math.min(pen * scale, WIDEST_PEN);
  const fitted = mapPoints(strokes, ([x, y]): Point => [
    CENTRE + (x - left - width / 2) * scale,
    CENTRE + (y - top - height / 2) * scale,
  ]);
  const [massX, massY] = centreOfMass(rasterize(fitted, line));
  const centred = mapPoints(fitted, ([x, y]): Point => [x + CENTRE - massX, y + CENTRE - massY]);
  return rasterize(centred, line);
}

function boundsOf(strokes: readonly Stroke[]) {
  const points = strokes.flat();
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  return { left, top, width: Math.max(...xs) - left, height: Math.max(...ys) - top };
}

/** In pixels from the top left corner; a pixel's mass lies in its middle. */
export function centreOfMass(pixels: Pixels): Point {
  let [mass, x, y] = [0, 0, 0];
  pixels.forEach((ink, i) => {
    mass += ink;
    x += ink * ((i % SIDE) + 0.5);
    y += ink * (Math.floor(i / SIDE) + 0.5);
  });
  return [x / mass, y / mass];
}
