/** What an export prints. */
import { count } from '../../training/files/index.ts';
import { objectiveRuleOf } from '../../training/objective/index.ts';
import { type ExportedCard, objectiveOfCard } from './card.ts';

export function describeExport(card: ExportedCard, models: string): string {
  const { running, population, batchOfOne } = card.scores.test;
  const { score, agreement } = objectiveRuleOf(objectiveOfCard(card));
  const size = Object.values(card.files).reduce((bytes, file) => bytes + file.bytes, 0);
  const { samples, largestDifference } = card.verification;
  const difference = largestDifference === 0 ? '0' : largestDifference.toExponential(1);
  return [
    `${`test ${score.name}`.padEnd(13)}   running statistics ${score.format(running)}   full-pass statistics ${score.format(population)}   each sample alone, by its own statistics ${score.format(batchOfOne)}`,
    `verified        ${count(samples)} samples: ${agreement.shown} within ${difference}`,
    `wrote           ${models}/${card.name} (${Object.keys(card.files).join(', ')}: ${count(size / 1000)} kB)`,
  ].join('\n');
}
