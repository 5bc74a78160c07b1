/** What speaks against replacing one version of a model with another. */
import { percent } from '../../training/run/index.ts';
import type { ModelCard } from '../model/card.ts';

/** The largest loss of test accuracy, as a share: 0.2 points. */
const MOST_LOST = 0.002;

/** The largest growth of the error of numbers, as a share of it. */
const MOST_GROWN = 0.01;

/** Differences of two shares that are nothing but rounding. */
const ROUNDING = 1e-9;

const contract = ['inputs', 'outputs', 'labels'] as const satisfies readonly (keyof ModelCard)[];

/**
 * One line each, in the form `where: expected X, got Y`; none when clients notice nothing but better answers.
 * @param former the deployed card, as far as there is one: a model from elsewhere may have none, or a shorter one
 */
export function objections(former: Partial<ModelCard>, fresh: ModelCard): readonly string[] {
  return [...worsened(former, fresh), ...contract.flatMap((part) => changed(part, former[part], fresh[part]))];
}

function worsened({ accuracy, rmse, statistics }: Partial<ModelCard>, fresh: ModelCard): readonly string[] {
  if (accuracy && statistics && fresh.accuracy) return lostAccuracy(accuracy.test[statistics], testScore(fresh));
  if (rmse && statistics && fresh.rmse) return grownError(rmse.test[statistics], testScore(fresh));
  const measure = fresh.accuracy ? 'test accuracy' : 'test RMSE';
  return [`${measure}: expected one in the deployed card to compare with, got none`];
}

function lostAccuracy(before: number, now: number): readonly string[] {
  if (before - now <= MOST_LOST + ROUNDING) return [];
  return [
    `test accuracy: expected at least ${percent(before - MOST_LOST)} (0.2 points below now), got ${percent(now)}`,
  ];
}

function grownError(before: number, now: number): readonly string[] {
  const most = before * (1 + MOST_GROWN);
  if (now <= most) return [];
  return [`test RMSE: expected at most ${most.toPrecision(4)} (1 % above now), got ${now.toPrecision(4)}`];
}

const changed = (where: string, former: unknown, fresh: unknown): readonly string[] => {
  if (former === undefined && fresh === undefined) return [];
  const before = former === undefined ? 'a deployed card that tells them' : JSON.stringify(former);
  const now = JSON.stringify(fresh);
  return before === now ? [] : [`${where}: expected ${before}, got ${now}`];
};

/** With the statistics that the version serves: accuracy, or the error of numbers. */
export const testScore = ({ accuracy, rmse, statistics }: ModelCard): number =>
  (accuracy ?? rmse)?.test[statistics] ?? NaN;
