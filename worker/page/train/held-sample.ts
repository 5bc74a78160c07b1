/** Shows the watched sample where there is no plane: a digit or a row of the validation part. */
import { at } from '../../../training/arrays/index.ts';
import { find, make } from '../dom.ts';
import { number } from '../format.ts';
import type { Begun, HeldSample } from './engine/messages.ts';

export interface HeldView {
  readonly begin: (begun: Begun) => void;
  readonly show: (sample: HeldSample) => void;
}

const side = 28;

export function createHeldView(): HeldView {
  const canvas = find('#held-digit', HTMLCanvasElement);
  const cells = find('#held-cells', HTMLElement);
  const heading = find('#held-name', HTMLElement);
  let classes: readonly string[] = [];
  return {
    begin: (begun) => {
      ({ classes } = begun);
    },
    show: ({ index, label, name: title, pixels, cells: texts = [] }) => {
      const name = at(classes, label);
      heading.textContent = `${title}: ${name}`;
      if (pixels) drawDigit(canvas, pixels, `A handwritten ${name}, sample ${number(index + 1)} of those held back`);
      cells.replaceChildren(...texts.flatMap(([key, text]) => [make('dt', {}, key), make('dd', {}, text)]));
    },
  };
}

/** Draws a digit in white on black, as the network receives it. */
function drawDigit(canvas: HTMLCanvasElement, pixels: Uint8Array, label: string): void {
  const context = canvas.getContext('2d');
  if (!context) throw new Error('internal: expected a 2d context of the digit, got none');
  const image = context.createImageData(side, side);
  pixels.forEach((value, i) => {
    image.data.set([value, value, value, 255], 4 * i);
  });
  context.putImageData(image, 0, 0);
  canvas.setAttribute('aria-label', label);
}
