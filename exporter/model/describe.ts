/** What an export prints. */
import { count, percent } from '../../training/run/index.ts';
import type { ModelCard } from './card.ts';

export function describeExport({ name, accuracy, rmse, verification, files }: ModelCard, models: string): string {
  const { running = NaN, population = NaN, batchOfOne = NaN } = (accuracy ?? rmse)?.test ?? {};
  const score = accuracy ? percent : (error: number) => error.toPrecision(4);
  const size = Object.values(files).reduce((bytes, file) => bytes + file.bytes, 0);
  const [what, same] = accuracy ? ['accuracy', 'the same class for each, logits'] : ['RMSE    ', 'the same numbers'];
  const { largestDifference } = verification;
  const difference = largestDifference === 0 ? '0' : largestDifference.toExponential(1);
  return [
    `test ${what}   running statistics ${score(running)}   full-pass statistics ${score(population)}   each sample alone, by its own statistics ${score(batchOfOne)}`,
    `verified        ${count(verification.samples)} samples: ${same} within ${difference}`,
    `wrote           ${models}/${name} (${Object.keys(files).join(', ')}: ${count(size / 1000)} kB)`,
  ].join('\n');
}
