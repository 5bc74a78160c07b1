/**
 * Warns if an export replaces a better model: only that model's run can bring it back. It stands apart from card.ts,
 * which is also part of the training page, where there is no `node:util`.
 */
import { isDeepStrictEqual } from 'node:util';
import { objectiveRuleOf } from '../../training/objective/index.ts';
import type { ModelCard } from '../store/card.ts';
import { type ExportedCard, objectiveOfCard } from './card.ts';

/** @returns one line if both models have a score on the same samples, and that of the former is better */
export function betterBefore(former: ModelCard, fresh: ExportedCard): string | undefined {
  const [before, now] = [testScoreOf(former), testScoreOf(fresh)];
  if (!before || !now || before.name !== now.name || !isDeepStrictEqual(before.data, now.data)) return undefined;
  if (now.better === 'higher' ? before.value <= now.value : before.value >= now.value) return undefined;
  const { format } = objectiveRuleOf(objectiveOfCard(fresh)).score;
  const scores = `a test ${now.name} of ${format(before.value)} on the same data, this one ${format(now.value)}`;
  return `the ${fresh.name} that this replaces has ${scores}: exporting its run again brings it back (bn-edge release keeps the version before)`;
}

/** Returns the score with the statistics that the file has; undefined if the card does not identify the samples. */
function testScoreOf({ scores, statistics, training }: ModelCard) {
  if (!scores || !statistics || training?.data.sha256 === undefined) return undefined;
  const { name, better, test } = scores;
  return { name, better, value: test[statistics], data: training.data };
}
