/** The MNIST test digits shipped with the page; exporter/page-digits.ts writes them. */
import { type Pixels, SIDE } from './pixels.ts';

export interface TestDigit {
  readonly label: number;
  readonly pixels: Pixels;
}

export interface TestDigits {
  /** One of each class, to ask about. */
  readonly asked: readonly TestDigit[];
  /** Others, sorted by class, to share its mini-batch. */
  readonly neighbours: readonly TestDigit[];
}

const CLASSES = 10;
const RECORD_BYTES = 1 + SIDE * SIDE;

export async function loadDigits(): Promise<TestDigits> {
  const response = await fetch(new URL('digits.bin.gz', import.meta.url));
  if (!response.ok || response.body === null) throw new Error(`digits.bin.gz: expected a file, got ${response.status}`);
  const bytes = await new Response(response.body.pipeThrough(new DecompressionStream('gzip'))).arrayBuffer();
  const all = Array.from({ length: bytes.byteLength / RECORD_BYTES }, (_, i) => recordAt(bytes, i * RECORD_BYTES));
  return { asked: all.slice(0, CLASSES), neighbours: all.slice(CLASSES) };
}

function recordAt(bytes: ArrayBuffer, offset: number): TestDigit {
  const record = new Uint8Array(bytes, offset, RECORD_BYTES);
  return { label: record[0] ?? NaN, pixels: record.subarray(1) };
}

/** A picture of the digit: ink on transparent ground, so that the theme may colour both. */
export function drawDigit(pixels: Pixels, canvas = document.createElement('canvas')): HTMLCanvasElement {
  canvas.width = SIDE;
  canvas.height = SIDE;
  const image = new ImageData(SIDE, SIDE);
  pixels.forEach((ink, i) => (image.data[4 * i + 3] = ink));
  canvas.getContext('2d')?.putImageData(image, 0, 0);
  return canvas;
}
