/** What speaks against replacing one version of a model with another. */
import { percent } from '../../training/cli/index.ts';
import type { ModelCard } from '../card.ts';

/** The largest loss of test accuracy, as a share: 0.2 points. */
const MOST_LOST = 0.002;

/** Differences of two shares that are nothing but rounding. */
const ROUNDING = 1e-9;

const contract = ['inputs', 'outputs', 'labels'] as const satisfies readonly (keyof ModelCard)[];

/**
 * One line each, in the form `where: expected X, got Y`; none when clients notice nothing but better answers.
 * @param former the deployed card, as far as there is one: a model from elsewhere may have none, or a shorter one
 */
export function objections(former: Partial<ModelCard>, fresh: ModelCard): readonly string[] {
  return [...lostAccuracy(former, fresh), ...contract.flatMap((part) => changed(part, former[part], fresh[part]))];
}

function lostAccuracy({ accuracy, statistics }: Partial<ModelCard>, fresh: ModelCard): readonly string[] {
  if (!accuracy || !statistics) return ['test accuracy: expected one in the deployed card to compare with, got none'];
  const [before, now] = [accuracy.test[statistics], testAccuracy(fresh)];
  if (before - now <= MOST_LOST + ROUNDING) return [];
  return [
    `test accuracy: expected at least ${percent(before - MOST_LOST)} (0.2 points below now), got ${percent(now)}`,
  ];
}

const changed = (where: string, former: unknown, fresh: unknown): readonly string[] => {
  const before = former === undefined ? 'a deployed card that tells them' : JSON.stringify(former);
  const now = JSON.stringify(fresh);
  return before === now ? [] : [`${where}: expected ${before}, got ${now}`];
};

/** Of the statistics that the version serves. */
export const testAccuracy = ({ accuracy, statistics }: ModelCard): number => accuracy.test[statistics];
