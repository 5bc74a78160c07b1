/**
 * A small MNIST, by Yann LeCun, Corinna Cortes and Christopher J.C. Burges, under CC BY-SA 3.0. The first of its
 * training images are trained with, and the first of its test images are the validation part.
 * docs/examples/digits/page-digits.ts writes the file.
 */
import { present } from '../../../../../training/arrays/index.ts';
import type { ClassificationDataset } from '../../../../../training/data/index.ts';
import { plainPreparation } from '../../../../../training/pictures/index.ts';
import type { Subject } from '../subject.ts';

/** The training images make forty mini-batches of 64. */
const [trained, held] = [2560, 512];

const side = 28;
const pixels = side * side;
const classes = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];

/** Caches the download. */
let loading: Promise<Subject> | undefined;

/** @throws Error where the file cannot be loaded; the next call retries */
export function loadDigits(): Promise<Subject> {
  loading ??= load().catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

async function load(): Promise<Subject> {
  const response = await fetch(new URL('mnist.bin.gz', import.meta.url));
  if (!response.ok || response.body === null)
    throw new Error(`The digits could not be loaded: expected a file, got ${response.status}.`);
  const bytes = await new Response(response.body.pipeThrough(new DecompressionStream('gzip'))).arrayBuffer();
  return digitsOf(new Uint8Array(bytes));
}

/** @param records the label byte and the 28 × 28 pixel bytes of each sample */
export function digitsOf(records: Uint8Array): Subject {
  const expected = (trained + held) * (1 + pixels);
  if (records.length !== expected)
    throw new Error(`The digits could not be loaded: expected ${expected} bytes, got ${records.length}.`);
  return {
    kind: 'digits',
    network: { inputShape: [1, side, side], inputNormalization: 'channel' },
    train: partOf(records, 0, trained),
    validation: partOf(records, trained, held),
    picture: { ...plainPreparation({ rows: side, columns: side }, 1), drawing: true },
  };
}

function partOf(records: Uint8Array, from: number, count: number): ClassificationDataset {
  const inputs = new Uint8Array(count * pixels);
  const labels = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const start = (from + i) * (1 + pixels);
    labels[i] = present(records[start]);
    inputs.set(records.subarray(start + 1, start + 1 + pixels), i * pixels);
  }
  return { task: 'classification', inputs, inputShape: [1, side, side], count, labels, classes };
}
