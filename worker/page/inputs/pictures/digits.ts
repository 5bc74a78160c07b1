/**
 * Loads test digits of MNIST, which are shipped with the page for models that read such digits;
 * docs/examples/digits/page-digits.ts writes them.
 */
import { at } from '../../../../training/arrays/index.ts';
import type { Model } from '../../api/model.ts';
import type { Pixels } from './pixels.ts';

export interface TestDigit {
  readonly label: number;
  readonly pixels: Pixels;
}

export interface TestDigits {
  /** Holds one digit of each class, to ask about. */
  readonly asked: readonly TestDigit[];
  /** Holds other digits, sorted by class, to share the mini-batch. */
  readonly neighbours: readonly TestDigit[];
}

const CLASSES = 10;
const RECORD_BYTES = 1 + 28 * 28;

/** Is true when a model reads drawn digits of 28 × 28 pixels. */
export function readsDigits({ parameters: { picture, labels = [] } }: Model): boolean {
  const isOfSize = picture?.drawing === true && picture.rows === 28 && picture.columns === 28;
  return isOfSize && picture.channels === 1 && labels.join() === '0,1,2,3,4,5,6,7,8,9';
}

export async function loadDigits(): Promise<TestDigits> {
  const response = await fetch(new URL('digits.bin.gz', import.meta.url));
  if (!response.ok || response.body === null) throw new Error(`digits.bin.gz: expected a file, got ${response.status}`);
  const bytes = await new Response(response.body.pipeThrough(new DecompressionStream('gzip'))).arrayBuffer();
  const all = Array.from({ length: bytes.byteLength / RECORD_BYTES }, (_, i) => recordAt(bytes, i * RECORD_BYTES));
  return { asked: all.slice(0, CLASSES), neighbours: all.slice(CLASSES) };
}

function recordAt(bytes: ArrayBuffer, offset: number): TestDigit {
  const record = new Uint8Array(bytes, offset, RECORD_BYTES);
  return { label: at(record, 0), pixels: record.slice(1) };
}
