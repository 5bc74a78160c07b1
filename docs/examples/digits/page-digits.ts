/**
 * Writes `worker/page/inputs/pictures/digits.bin.gz`, the MNIST test digits on the Worker's page: gzipped records of one label byte and
 * 28 × 28 pixel bytes. First one digit of each class, to ask about, then six others of each, to share its mini-batch.
 *
 *     npx tsx docs/examples/digits/page-digits.ts
 */
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { type ClassificationDataset, loadMnist } from '../../../training/data/index.ts';
import { elementCount } from '../../../training/files/index.ts';

const neighboursPerClass = 6;
/** The first of each class is passed over: that of the threes is one that the network itself doubts. */
const skipped = 1;

/** The records, one after the other. */
export async function pageDigits(): Promise<Uint8Array> {
  const { test } = await loadMnist({ seed: 0 });
  const byClass = test.classes.map((_, label) => [...test.labels.keys()].filter((i) => test.labels[i] === label));
  const taken = byClass.map((indices) => indices.slice(skipped, skipped + 1 + neighboursPerClass));
  const asked = taken.flatMap((indices) => indices.slice(0, 1));
  const neighbours = taken.flatMap((indices) => indices.slice(1));
  return Buffer.concat([...asked, ...neighbours].map((i) => record(test, i)));
}

function record({ inputs, inputShape, labels }: ClassificationDataset, index: number): Uint8Array {
  const size = elementCount(inputShape);
  return Uint8Array.of(labels[index] ?? NaN, ...inputs.subarray(index * size, (index + 1) * size));
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const file = join(import.meta.dirname, '../../../worker/page/inputs/pictures/digits.bin.gz');
  writeFileSync(file, gzipSync(await pageDigits(), { level: 9 }));
}
