/**
 * Decides how the outputs of a model are read as answers in an evaluation: as a card or the user says, or as fitted to
 * the run's own validation part.
 */
import { type Interval, thresholdOf } from '../answers/index.ts';
import { hasLearntFromValidation, outOfFoldOf } from '../checkpoint/index.ts';
import type { Dataset } from '../data/index.ts';
import { unexpected, UserError } from '../files/index.ts';
import {
  answerRuleOf,
  type AnswerRuleOptions,
  chooseThreshold,
  coverageOf,
  fitAnswerRule,
  type Fitted,
  thresholdFlag,
} from '../objective/index.ts';
import type { Answerer, Answers } from './evaluation.ts';
import { type KnownModel, ownValidation } from './samples.ts';

/**
 * Returns the rule as far as it needs no validation part.
 *
 * @throws UserError for options that do not suit the model
 */
export function statedAnswerRule(where: string, known: KnownModel, options: AnswerRuleOptions): Fitted {
  const { classes = [], intervals = [] } = known;
  const { threshold, interval } = options;
  const stated = thresholdOf(known.threshold, classes);
  const chosen =
    typeof threshold?.rule === 'number'
      ? chooseThreshold(threshold, [], [], classes)
      : stated && { ...stated, label: classes[stated.class] ?? '' };
  if (known.plan === undefined) requireStated(where, intervals, options);
  const level = interval === false ? undefined : (interval ?? known.level);
  return {
    ...(chosen && { threshold: chosen }),
    ...(level !== undefined && { level }),
    ...(intervals.length > 0 && { intervals }),
    notes: [],
  };
}

/** @throws UserError for options that need a run, whose validation part an exported model does not have */
function requireStated(where: string, intervals: readonly Interval[], options: AnswerRuleOptions): void {
  const { threshold, interval } = options;
  if (typeof interval === 'number' && !intervals.some(({ level }) => level === interval)) {
    const levels = intervals.map(({ level }) => level).join(', ');
    throw unexpected('--interval', levels || 'a run, whose validation part it is measured on', interval);
  }
  if (threshold && typeof threshold.rule !== 'number') {
    const got = `${where}; --threshold 0.3 sets it`;
    throw unexpected(thresholdFlag(threshold.rule), 'a run, on whose validation part it is chosen', got);
  }
}

/** An evaluation as far as the answer rule depends on it. */
interface Evaluation {
  /** The path of the model. */
  readonly file: string;
  readonly known: KnownModel;
  readonly answerer: Answerer;
  readonly options: AnswerRuleOptions;
  /** The rule as far as it needs no validation part. */
  readonly stated: Fitted;
}

/**
 * Fits the rule to the validation part, which comes with the samples or from the data that the run was trained on.
 * Where the network has learnt from that part, the rule is fitted to the answers of folds. Where neither is available,
 * the stated rule is returned.
 *
 * @param note receives the reason why the probabilities are the network's own, if they are
 * @throws UserError for options that do not suit the model or its validation part, or that need a validation part which
 * is not available
 */
export async function answerRuleFor(
  validation: Dataset | undefined,
  { file, known, answerer, options, stated }: Evaluation,
  note: (line: string) => void,
): Promise<Fitted> {
  // An exported model has been fitted before; only a checkpoint has not.
  const { plan, classes = [] } = known;
  if (plan === undefined) return stated;
  const hasLearnt = hasLearntFromValidation(known.record);
  const kept = hasLearnt ? await outOfFoldOf(file, { plan, classes }) : undefined;
  if (kept) return fitAnswerRule(kept.samples, kept.answers, options, 'out-of-fold');
  const unseen = hasLearnt ? undefined : (validation ?? (await ownValidation(known, note)));
  if (unseen && unseen.count > 0) return fitAnswerRule(unseen, await answerer.answer(unseen), options);
  const flag = fittedOption(options);
  if (flag === undefined) return stated;
  throw new UserError(
    `${flag}: expected a validation part of the run's own data that it has not learnt from to choose it on, got none; an exported model keeps what was chosen for it`,
  );
}

/** Returns the first option that needs a validation part. */
function fittedOption({ threshold, interval }: AnswerRuleOptions): string | undefined {
  if (threshold && typeof threshold.rule !== 'number') return thresholdFlag(threshold.rule);
  return typeof interval === 'number' ? '--interval' : undefined;
}

/** Returns the interval around numbers, and the share of them that it holds. */
export function intervalOf(
  fitted: Fitted,
  samples: Dataset,
  answers: Answers,
  isLabelled: boolean,
): Interval | undefined {
  const { halfWidth } = answerRuleOf(fitted);
  const { level } = fitted;
  if (samples.task !== 'regression' || halfWidth === undefined || level === undefined) return undefined;
  if (!isLabelled || samples.count === 0) return { level, halfWidth };
  return { level, halfWidth, coverage: coverageOf(halfWidth, answers, samples.values) };
}
