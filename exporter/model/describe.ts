/** What an export prints. */
import { count } from '../../training/files/index.ts';
import { objectiveRuleOf, type Score } from '../../training/objective/index.ts';
import type { TestScores } from '../store/card.ts';
import { type ExportedCard, objectiveOfCard } from './card.ts';

export function describeExport(card: ExportedCard, models: string): string {
  const { score, agreement } = objectiveRuleOf(objectiveOfCard(card));
  const size = Object.values(card.files).reduce((bytes, file) => bytes + file.bytes, 0);
  const { samples, largestDifference } = card.verification;
  const difference = largestDifference === 0 ? '0' : largestDifference.toExponential(1);
  return [
    `${`test ${score.name}`.padEnd(13)}   ${card.scores ? describeScores(card.scores.test, score) : 'none: the run kept no test samples (--test-share keeps some)'}`,
    `verified        on ${count(samples)} samples model.onnx answers as the run: ${agreement.shown} within ${difference}`,
    `wrote           ${models}/${card.name} (${Object.keys(card.files).join(', ')}: ${count(size / 1000)} kB)`,
  ].join('\n');
}

const describeScores = ({ running, population, batchOfOne }: TestScores, { format }: Score): string =>
  `running statistics ${format(running)}   full-pass statistics ${format(population)}   each sample alone, by its own statistics ${format(batchOfOne)}`;
