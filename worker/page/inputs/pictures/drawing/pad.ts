/** The square to draw on, with mouse, pen or finger. */
import type { PictureInfo } from '../../../api/model.ts';
import { make, makeSvg } from '../../../dom.ts';
import { drawPixels } from '../draw-pixels.ts';
import type { Pixels } from '../pixels.ts';
import { toCentred } from './centred.ts';
import type { Point, Stroke } from './stroke.ts';

/** The pen's width, in sides of the pad. */
const PEN = 0.085;

export interface Pad {
  readonly root: HTMLElement;
  /** Shows a finished picture in place of strokes. */
  readonly show: (pixels: Pixels) => void;
}

/** @param onDraw gets the drawing as the model takes it, after each movement, and `undefined` once it is cleared */
export function createPad(info: PictureInfo, onDraw: (drawing: Pixels | undefined) => void): Pad {
  const path = makeSvg('path', {
    ...{ fill: 'none', stroke: 'currentColor', 'stroke-width': PEN },
    ...{ 'stroke-linecap': 'round', 'stroke-linejoin': 'round' },
  });
  const svg = makeSvg(
    'svg',
    { viewBox: '0 0 1 1', role: 'img', 'aria-label': 'Drawing pad: draw with mouse, pen or finger' },
    path,
  );
  const picture = make('canvas', { ariaHidden: 'true' });
  const clear = make('button', { type: 'button', className: 'quiet', disabled: true }, 'Clear');
  const hint = make('p', { className: 'pad-hint', ariaHidden: 'true' }, 'draw here');
  const root = make('div', { className: 'pad' }, picture, svg, hint, clear);
  root.dataset['holds'] = 'nothing';
  let strokes: Point[][] = [];

  function hold(what: 'nothing' | 'strokes' | 'picture'): void {
    root.dataset['holds'] = what;
    // The button stays enabled, so that the keyboard focus is not lost.
    clear.ariaDisabled = String(what === 'nothing');
    clear.disabled = false;
  }
  function redraw(): void {
    path.setAttribute('d', strokes.map(pathOf).join(''));
    onDraw(strokes.length === 0 ? undefined : toCentred(strokes, PEN, info));
  }

  svg.addEventListener('pointerdown', (event) => {
    if (!event.isPrimary || event.button !== 0) return;
    svg.setPointerCapture(event.pointerId);
    hold('strokes');
    strokes.push([pointOf(event, svg)]);
    redraw();
  });
  svg.addEventListener('pointermove', (event) => {
    if (!svg.hasPointerCapture(event.pointerId)) return;
    const between = event.getCoalescedEvents();
    strokes.at(-1)?.push(...(between.length > 0 ? between : [event]).map((moment) => pointOf(moment, svg)));
    redraw();
  });
  clear.addEventListener('click', () => {
    hold('nothing');
    strokes = [];
    redraw();
  });

  return {
    root,
    show(pixels) {
      hold('picture');
      strokes = [];
      path.setAttribute('d', '');
      drawPixels(pixels, info, picture);
    },
  };
}

function pointOf(event: PointerEvent, svg: SVGSVGElement): Point {
  const { left, top, width, height } = svg.getBoundingClientRect();
  return [(event.clientX - left) / width, (event.clientY - top) / height];
}

/**
 * Returns the path of a stroke. It is a dot when the pen did not move: a line of zero length has round ends all the
 * same.
 */
function pathOf([first, ...others]: Stroke): string {
  if (first === undefined) return '';
  return `M${first.join()}${[first, ...others].map((point) => `L${point.join()}`).join('')}`;
}
