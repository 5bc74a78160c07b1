/**
 * Decides how the answers of an evaluation are read: as a card or the user says, or as fitted to the run's own
 * validation part.
 */
import { type Interval, thresholdOf } from '../answers/index.ts';
import { hasLearntFromValidation, outOfFoldOf } from '../checkpoint/index.ts';
import type { Dataset } from '../data/index.ts';
import { unexpected, UserError } from '../files/index.ts';
import {
  chooseThreshold,
  coverageOf,
  type Fitted,
  fitReading,
  readingOf,
  type ReadingWish,
  thresholdFlag,
} from '../objective/index.ts';
import type { Answerer, Answers } from './evaluation.ts';
import { type Known, ownValidation } from './samples.ts';

/**
 * Returns the reading as far as it needs no validation part.
 *
 * @throws UserError for a wish that does not suit the model
 */
export function statedReading(where: string, known: Known, { threshold, interval }: ReadingWish): Fitted {
  const { classes = [], intervals = [] } = known;
  const stated = thresholdOf(known.threshold, classes);
  const chosen =
    typeof threshold?.rule === 'number'
      ? chooseThreshold(threshold, [], [], classes)
      : stated && { ...stated, label: classes[stated.class] ?? '' };
  const level = interval === false ? undefined : (interval ?? known.level);
  if (typeof interval === 'number' && known.plan === undefined && !intervals.some((one) => one.level === interval)) {
    const told = intervals.map((one) => one.level).join(', ') || 'a run, whose validation part it is measured on';
    throw unexpected('--interval', told, interval);
  }
  if (threshold && typeof threshold.rule !== 'number' && known.plan === undefined) {
    const got = `${where}; --threshold 0.3 sets it`;
    throw unexpected(thresholdFlag(threshold.rule), 'a run, on whose validation part it is chosen', got);
  }
  return {
    ...(chosen && { threshold: chosen }),
    ...(level !== undefined && { level }),
    ...(intervals.length > 0 && { intervals }),
    notes: [],
  };
}

/**
 * Fits the reading to the validation part, which comes with the samples or from the data that the run was trained on.
 * Where the network has learnt from that part, it is fitted to the answers of folds. Where neither is available, the
 * stated reading is returned.
 *
 * @param file the model's
 * @param note is told why the probabilities are the network's own, if they are
 * @throws UserError for a wish that does not suit the model or its validation part, and for one that needs a validation
 * part that is not available
 */
export async function readingFor(
  file: string,
  own: Dataset | undefined,
  answerer: Answerer,
  stated: Fitted,
  known: Known,
  wish: ReadingWish,
  note: (line: string) => void,
): Promise<Fitted> {
  // An exported model has been fitted before; only a checkpoint has not.
  const { plan, classes = [] } = known;
  if (plan === undefined) return stated;
  const hasLearnt = hasLearntFromValidation(known.record);
  const kept = hasLearnt ? await outOfFoldOf(file, { plan, classes }) : undefined;
  if (kept) return fitReading(kept.samples, kept.answers, wish, 'out-of-fold');
  const validation = hasLearnt ? undefined : (own ?? (await ownValidation(known, note)));
  if (validation && validation.count > 0) return fitReading(validation, await answerer.answer(validation), wish);
  const asked =
    wish.threshold && typeof wish.threshold.rule !== 'number'
      ? thresholdFlag(wish.threshold.rule)
      : typeof wish.interval === 'number'
        ? '--interval'
        : undefined;
  if (asked === undefined) return stated;
  throw new UserError(
    `${asked}: expected a validation part of the run's own data that it has not learnt from to choose it on, got none; an exported model keeps what was chosen for it`,
  );
}

/** Returns the interval around numbers, and the share of them that it holds. */
export function intervalOf(
  fitted: Fitted,
  samples: Dataset,
  answers: Answers,
  isLabelled: boolean,
): Interval | undefined {
  const { halfWidth } = readingOf(fitted);
  const { level } = fitted;
  if (samples.task !== 'regression' || halfWidth === undefined || level === undefined) return undefined;
  if (!isLabelled || samples.count === 0) return { level, halfWidth };
  return { level, halfWidth, coverage: coverageOf(halfWidth, answers, samples.values) };
}
