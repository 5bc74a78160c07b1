/** Finds the reasons not to release a version of a model, or a Worker. */
import { isDeepStrictEqual } from 'node:util';
import { formatScore } from '../../training/objective/index.ts';
import type { ExportedCard } from '../model/card.ts';
import type { ModelCard } from '../store/card.ts';

/** The largest accepted loss of a score of which more is better, such as a share: 0.2 points. */
const MAX_LOST = 0.002;

/** The largest accepted growth of a score of which less is better, such as an error, relative to it. */
const MAX_GROWN = 0.01;

/** The difference of two shares that rounding alone can make. */
const ROUNDING = 1e-9;

const contract = ['inputs', 'outputs', 'output', 'labels'] as const satisfies readonly (keyof ModelCard)[];

/**
 * Returns one line `where: expected X, got Y` for each reason; none if clients notice nothing but better answers.
 *
 * @param former the deployed card, as far as there is one: a model from elsewhere may have none, or a shorter one
 */
export function objections(former: ModelCard, fresh: ExportedCard): readonly string[] {
  return [...worsened(former, fresh), ...contract.flatMap((part) => changed(part, former[part], fresh[part]))];
}

function worsened({ scores, statistics }: ModelCard, fresh: ExportedCard): readonly string[] {
  if (!fresh.scores)
    return ["test score: expected one to compare with the deployed model's, got none: the run kept no test samples"];
  const { name, better } = fresh.scores;
  if (scores?.name !== name || !statistics) {
    return [`test ${name}: expected one in the deployed card to compare with, got none`];
  }
  const [before, now] = [scores.test[statistics], fresh.scores.test[fresh.statistics]];
  return (better === 'higher' ? lost : grown)(before, now, (value) => formatScore(name, value)).map(
    (objection) => `test ${name}: ${objection}`,
  );
}

type Compare = (before: number, now: number, format: (value: number) => string) => readonly string[];

const lost: Compare = (before, now, format) =>
  before - now <= MAX_LOST + ROUNDING
    ? []
    : [`expected at least ${format(before - MAX_LOST)} (0.2 points below now), got ${format(now)}`];

const grown: Compare = (before, now, format) => {
  const max = before * (1 + MAX_GROWN);
  return now <= max ? [] : [`expected at most ${format(max)} (1 % above now), got ${format(now)}`];
};

const changed = (where: string, former: unknown, fresh: unknown): readonly string[] => {
  if (isDeepStrictEqual(former, fresh)) return [];
  const before = former === undefined ? 'a deployed card that states them' : JSON.stringify(former);
  return [`${where}: expected ${before}, got ${fresh === undefined ? 'none' : JSON.stringify(fresh)}`];
};

/** Returns, for example, `test accuracy 98.82 %`, with the statistics that the version serves. */
export const describeScore = ({ scores, statistics }: ExportedCard): string =>
  scores ? `test ${scores.name} ${formatScore(scores.name, scores.test[statistics])}` : 'no test samples';

/**
 * The maximum size of a Worker, on every plan. Until 2026-09-04 it was 3 or 10 MB after compression.
 * https://developers.cloudflare.com/changelog/post/2026-09-04-increased-worker-size-limit/
 */
export const maxBytes = 64 * 1024 * 1024;

/** Returns one line if the Worker is too large. */
export function tooLarge(bytes: number): readonly string[] {
  if (bytes <= maxBytes) return [];
  const how = '"weights": "int8" or "weightsIn": "assets" in a card.json makes it smaller';
  return [`worker: expected at most ${megabytes(maxBytes)}, got ${megabytes(bytes)}; ${how}`];
}

export const megabytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(2)} MiB`;
