/** The plane of one network: its shading by the network's answers, the samples, and the watched sample. */
import { at } from '../../../training/arrays/index.ts';
import { find } from '../dom.ts';
import { percent, powerOfTen } from '../format.ts';
import { drawing } from './drawing.ts';
import { grid, type SideNews, type Validation } from './engine/messages.ts';
import type { Point, Side } from './engine/settings.ts';

export interface Plane {
  /**
   * Shows the samples of a new network.
   * @param held the samples of the validation part
   */
  readonly showPoints: (points: readonly Point[], held: readonly Point[]) => void;
  readonly showSample: (sample: Pick<Point, 'x' | 'y'>) => void;
  readonly showNews: (news: SideNews) => void;
  readonly showValidation: (validation: Validation | undefined) => void;
}

/** @param click receives the place of a click */
export function createPlane(side: Side, click: (at: Pick<Point, 'x' | 'y'>) => void): Plane {
  const root = find(`[data-side=${side}]`, HTMLElement);
  const canvas = find('canvas', HTMLCanvasElement, root);
  const facts = find('.facts-line', HTMLElement, root);
  const context = canvas.getContext('2d');
  if (!context) throw new Error('internal: expected a 2d context of the canvas, got none');
  let points: readonly Point[] = [];
  let held: readonly Point[] = [];
  let sample: Pick<Point, 'x' | 'y'> = { x: 0, y: 0 };
  let news: SideNews | undefined;
  let validation: Validation | undefined;
  /** Is true for data that have no plane. */
  let isHidden = false;
  const cells = cellsOf(side);
  const drawSoon = drawing(draw);
  /** Caches the drawing of the samples. */
  let dots: OffscreenCanvas | undefined;
  let colours: Colours | undefined;
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    [dots, colours] = [undefined, undefined];
    drawSoon();
  });

  canvas.addEventListener('click', (event) => {
    const { left, top, width, height } = canvas.getBoundingClientRect();
    const at = (share: number): number => Math.round((2 * share - 1) * 100) / 100;
    click({ x: at((event.clientX - left) / width), y: -at((event.clientY - top) / height) });
  });

  function draw(): void {
    if (!context || isHidden) return;
    colours ??= coloursOf(canvas);
    dots ??= drawDots(canvas, colours, points, held);
    context.clearRect(0, 0, canvas.width, canvas.height);
    if (news) {
      cells.shade(news.boundary, colours);
      context.imageSmoothingEnabled = true;
      context.drawImage(cells.image, 0, 0, canvas.width, canvas.height);
    }
    context.drawImage(dots, 0, 0);
    ring(context, sample, colours.text);
  }

  function describe(): void {
    if (!news) return;
    facts.replaceChildren(...factsOf(news, validation));
    canvas.setAttribute('aria-label', labelOf(news, validation));
  }

  return {
    showPoints: (all, heldBack) => {
      [points, held, dots] = [all, heldBack, undefined];
      [news, validation, isHidden] = [undefined, undefined, false];
      facts.replaceChildren();
      canvas.setAttribute('aria-label', 'The samples, with which nothing is trained yet');
      drawSoon();
    },
    showSample: (at) => {
      sample = at;
      drawSoon();
    },
    showNews: (latest) => {
      news = latest;
      isHidden = latest.boundary.length === 0;
      describe();
      drawSoon();
    },
    showValidation: (latest) => {
      validation = latest;
      describe();
    },
  };
}

function factsOf({ diverged }: SideNews, validation: Validation | undefined): (Node | string)[] {
  if (diverged === undefined) return [heldBackText(validation)];
  const reason = document.createElement('span');
  reason.className = 'gone';
  reason.textContent = /got (loss .*?)(; try|$)/.exec(diverged)?.[1] ?? diverged;
  return ['Diverged: ', reason];
}

const heldBackText = (validation: Validation | undefined): string =>
  validation
    ? `Held back: loss ${lossText(validation.loss)}, right ${percent(validation.accuracy)}`
    : 'Nothing is held back';

function labelOf({ diverged, sample: { running } }: SideNews, validation: Validation | undefined): string {
  if (diverged !== undefined) return 'The network has diverged.';
  return `${heldBackText(validation)}. The watched sample is a triangle with a probability of ${percent(at(running, 1))}.`;
}

export const lossText = (loss: number): string =>
  Number.isFinite(loss)
    ? loss.toPrecision(3).replace(/e(.+)/, (_, exponent: string) => ` · ${powerOfTen(Number(exponent))}`)
    : 'not finite';

interface Colours {
  readonly a: string;
  readonly b: string;
  readonly text: string;
  readonly card: string;
}

function coloursOf(element: Element): Colours {
  const probe = getComputedStyle(element);
  // A custom property keeps `light-dark()` unresolved; a property that uses it has the computed colour.
  const of = (name: string): string => probe.getPropertyValue(name);
  return { a: of('outline-color'), b: of('text-decoration-color'), text: of('color'), card: of('border-top-color') };
}

/** Shades the plane, one pixel a cell; the image is scaled to the size of the plane. */
function cellsOf(side: Side) {
  const image = new OffscreenCanvas(grid, grid);
  const context = image.getContext('2d');
  if (!context) throw new Error(`internal: expected a 2d context for ${side}, got none`);
  const pixels = context.createImageData(grid, grid);
  return {
    image,
    shade: (boundary: Float32Array, { a, b }: Colours): void => {
      const [ofA, ofB] = [channelsOf(a), channelsOf(b)];
      boundary.forEach((share, i) => {
        const alpha = Number.isFinite(share) ? 20 + 140 * Math.abs(2 * share - 1) : 0;
        pixels.data.set([...(share < 0.5 ? ofA : ofB), alpha], 4 * i);
      });
      context.putImageData(pixels, 0, 0);
    },
  };
}

/** Parses a computed colour, such as `rgb(29, 122, 62)`. */
const channelsOf = (colour: string): readonly number[] => (colour.match(/[\d.]+/g) ?? []).slice(0, 3).map(Number);

function drawDots(
  { width, height }: HTMLCanvasElement,
  colours: Colours,
  points: readonly Point[],
  held: readonly Point[],
): OffscreenCanvas {
  const drawn = new OffscreenCanvas(width, height);
  const context = drawn.getContext('2d');
  if (!context) throw new Error('internal: expected a 2d context of the samples, got none');
  for (const point of held) mark(context, point, colours, false);
  for (const point of points) mark(context, point, colours, true);
  return drawn;
}

const radius = 4.2;

type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

const placeOf = ({ canvas: { width, height } }: Context, { x, y }: Pick<Point, 'x' | 'y'>) =>
  [((x + 1) / 2) * width, ((1 - y) / 2) * height] as const;

/** Draws a circle or a triangle: colour alone must not distinguish the classes. */
function mark(context: Context, point: Point, { a, b, card }: Colours, isFilled: boolean): void {
  const [x, y] = placeOf(context, point);
  context.beginPath();
  if (point.label === 0) context.arc(x, y, radius, 0, 2 * Math.PI);
  else {
    context.moveTo(x, y - radius - 1);
    context.lineTo(x + radius + 1, y + radius);
    context.lineTo(x - radius - 1, y + radius);
    context.closePath();
  }
  const colour = point.label === 0 ? a : b;
  context.lineWidth = isFilled ? 1 : 1.6;
  context.fillStyle = isFilled ? colour : card;
  context.strokeStyle = isFilled ? card : colour;
  context.fill();
  context.stroke();
}

function ring(context: Context, at: Pick<Point, 'x' | 'y'>, colour: string): void {
  const [x, y] = placeOf(context, at);
  context.strokeStyle = colour;
  context.lineWidth = 2.5;
  for (const size of [5, 11]) {
    context.beginPath();
    context.arc(x, y, size, 0, 2 * Math.PI);
    context.stroke();
  }
}
