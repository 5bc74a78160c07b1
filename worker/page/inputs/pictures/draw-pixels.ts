/** Draws a picture as the model takes it. */
import { present } from '../../../../training/arrays/index.ts';
import type { PictureInfo } from '../../api/model.ts';
import type { Pixels } from './pixels.ts';

/** Draws pixels on a canvas. A drawing is ink on a transparent ground, so that the theme may colour both. */
export function drawPixels(
  pixels: Pixels,
  { rows, columns, channels, drawing }: PictureInfo,
  canvas = document.createElement('canvas'),
): HTMLCanvasElement {
  canvas.width = columns;
  canvas.height = rows;
  canvas.classList.toggle('ink', drawing === true);
  const image = new ImageData(columns, rows);
  const size = rows * columns;
  for (let i = 0; i < size; i++) {
    const colour = [0, 1, 2].map((channel) => present(pixels[(channels === 3 ? channel : 0) * size + i]));
    image.data.set(drawing ? [0, 0, 0, present(pixels[i])] : [...colour, 255], 4 * i);
  }
  canvas.getContext('2d')?.putImageData(image, 0, 0);
  return canvas;
}
