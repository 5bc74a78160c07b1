/** What an export prints. */
import { count, percent } from '../training/cli/index.ts';
import type { ModelCard } from './card.ts';

export function describeExport({ name, accuracy, verification, files }: ModelCard, models: string): string {
  const { running, population, batchOfOne } = accuracy.test;
  const size = Object.values(files).reduce((bytes, file) => bytes + file.bytes, 0);
  return [
    `test accuracy   running statistics ${percent(running)}   full-pass statistics ${percent(population)}   each image alone, by its own statistics ${percent(batchOfOne)}`,
    `verified        ${count(verification.samples)} images: the same class for each, logits within ${verification.largestDifference.toExponential(1)}`,
    `wrote           ${models}/${name} (${Object.keys(files).join(', ')}: ${(size / 1e6).toFixed(1)} MB)`,
  ].join('\n');
}
