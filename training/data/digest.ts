import { createHash } from 'node:crypto';
import type { Dataset } from './dataset.ts';

/** Returns the SHA-256 of all samples and targets, in hexadecimal. */
export function digestOf(...datasets: readonly Dataset[]): string {
  const hash = createHash('sha256');
  for (const dataset of datasets) {
    hash.update(dataset.inputs).update(dataset.task === 'classification' ? dataset.labels : dataset.values);
  }
  return hash.digest('hex');
}
