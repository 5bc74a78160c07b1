/** The square one draws on, with mouse, pen or finger. */
import { find } from '../dom.ts';
import { drawDigit } from '../digits.ts';
import type { Pixels } from '../pixels.ts';
import { toMnist } from './mnist.ts';
import type { Point, Stroke } from './stroke.ts';

/** The pen's width; the unit is the pad's side. */
const PEN = 0.085;

export interface Pad {
  /** Shows a finished picture in place of strokes. */
  show(pixels: Pixels): void;
}

/** @param onDraw is given the drawing as the model takes it, after each movement; `undefined` once it is cleared */
export function createPad(root: HTMLElement, onDraw: (drawing: Pixels | undefined) => void): Pad {
  const svg = find('svg', SVGSVGElement, root);
  const path = find('path', SVGPathElement, svg);
  const picture = find('canvas', HTMLCanvasElement, root);
  path.setAttribute('stroke-width', String(PEN));
  let strokes: Point[][] = [];

  function redraw(): void {
    path.setAttribute('d', strokes.map(pathOf).join(''));
    onDraw(strokes.length === 0 ? undefined : toMnist(strokes, PEN));
  }

  svg.addEventListener('pointerdown', (event) => {
    if (!event.isPrimary || event.button !== 0) return;
    svg.setPointerCapture(event.pointerId);
    root.dataset['holds'] = 'strokes';
    strokes.push([pointOf(event, svg)]);
    redraw();
  });
  svg.addEventListener('pointermove', (event) => {
    if (!svg.hasPointerCapture(event.pointerId)) return;
    const between = event.getCoalescedEvents();
    strokes.at(-1)?.push(...(between.length > 0 ? between : [event]).map((moment) => pointOf(moment, svg)));
    redraw();
  });
  find('button', HTMLButtonElement, root).addEventListener('click', () => {
    root.dataset['holds'] = 'nothing';
    strokes = [];
    redraw();
  });

  return {
    show(pixels) {
      root.dataset['holds'] = 'picture';
      strokes = [];
      path.setAttribute('d', '');
      drawDigit(pixels, picture);
    },
  };
}

function pointOf(event: PointerEvent, svg: SVGSVGElement): Point {
  const { left, top, width, height } = svg.getBoundingClientRect();
  return [(event.clientX - left) / width, (event.clientY - top) / height];
}

/** A dot where the pen did not move: a line of no length has round ends all the same. */
function pathOf([first, ...others]: Stroke): string {
  if (first === undefined) return '';
  return `M${first.join()}${[first, ...others].map((point) => `L${point.join()}`).join('')}`;
}
