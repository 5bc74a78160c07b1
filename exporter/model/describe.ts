/** Describes an export, as the command prints it. */
import { count, fourDigits, oneLine, percent, quote } from '../../training/files/index.ts';
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
    ...describeQuality(card),
    `verified        on ${count(samples)} samples model.onnx answers as the run: ${agreement.successText} within ${difference}`,
    `wrote           ${models}/${card.name} (${Object.keys(card.files).join(', ')}: ${count(size / 1000)} kB)`,
  ].join('\n');
}

function describeQuality({
  calibration,
  threshold,
  interval,
  intervals = [],
  importance,
  metrics,
}: ExportedCard): string[] {
  const { accuracy } = metrics;
  const read = accuracy === undefined ? '' : `: test accuracy ${percent(accuracy)}`;
  const [[label, at] = []] = Object.entries(threshold?.at ?? {});
  const reported = intervals.find(({ level }) => level === interval);
  const held = reported?.coverage === undefined ? '' : `, which held ${percent(reported.coverage)} of the test rows`;
  const worth = importance?.columns
    .filter(({ mean }) => mean > 0)
    .slice(0, 3)
    .map(({ name, mean }) => `${name} ${fourDigits(mean)}`);
  return [
    ...(calibration ? [`calibration     expected error ${percent(calibration.error)} on the test rows`] : []),
    ...(label === undefined
      ? []
      : [oneLine(`threshold       ${quote(label)} is the answer from a probability of ${at} on${read}`)]),
    ...(reported ? [`interval        ${percent(reported.level)}: ±${fourDigits(reported.halfWidth)}${held}`] : []),
    ...(worth
      ? [
          worth.length > 0
            ? oneLine(`columns         worth most, as growth of the ${importance?.measure}: ${worth.join(', ')}`)
            : 'columns         none is worth anything on the test rows',
        ]
      : []),
  ];
}

const describeScores = ({ running, population, batchOfOne }: TestScores, { format }: Score): string =>
  `${format(running)} with running statistics, ${format(population)} with those of a full pass, ${format(batchOfOne)} of each sample alone, by its own`;
