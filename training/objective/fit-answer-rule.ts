/**
 * Fits the rule that reads outputs as answers, after training, to samples that the network has not learnt from, such as
 * the validation part: the temperature of probabilities, the threshold between two classes, and the intervals around
 * numbers.
 */
import { at } from '../arrays/index.ts';
import type { Interval, Threshold } from '../answers/index.ts';
import { type Dataset, subset } from '../data/index.ts';
import { count, oneLine, percent, quote, unexpected, UserError } from '../files/index.ts';
import { classLogits, crossEntropy, probabilities } from './metrics/classification.ts';
import { scaledBy, temperatureOf } from './metrics/temperature.ts';
import { bestThreshold, type ThresholdRule } from './metrics/threshold.ts';
import { finiteRows, rowsOf } from './report.ts';
import type { AnswerRule } from './rule.ts';
export type { ThresholdRule } from './metrics/threshold.ts';

export interface ThresholdOptions {
  /** The measure that the threshold is chosen for, or the probability itself. */
  readonly rule: ThresholdRule | number;
  /** The class that is the answer from the threshold on. Default: the second of the two. */
  readonly positive?: string | undefined;
}

export interface AnswerRuleOptions {
  /** Default: the most probable class is the answer. */
  readonly threshold?: ThresholdOptions | undefined;
  /**
   * The share of values that an interval around a number holds. Default: 0.9, where the validation part suffices; false
   * for no interval.
   */
  readonly interval?: number | false | undefined;
}

export interface ChosenThreshold extends Threshold {
  readonly label: string;
  /** The measure that it was chosen for; absent where the threshold was given. */
  readonly rule?: ThresholdRule;
}

export interface Fitted {
  /** The number that logits are divided by; absent where the plain logits are better. */
  readonly temperature?: number;
  readonly threshold?: ChosenThreshold;
  /** The level of the interval that is shown. */
  readonly level?: number;
  /** The intervals of each level that the validation part suffices for. */
  readonly intervals?: readonly Pick<Interval, 'level' | 'halfWidth'>[];
  /** The results for the user, one line each. */
  readonly notes: readonly string[];
}

/** The minimum number of validation rows to choose a threshold by. */
const MIN_ROWS = 30;
/** The level of the interval that is shown where the user chooses none. */
export const defaultLevel = 0.9;
/** The levels whose widths a card holds, so that another one can be chosen later. */
const levels = [0.5, 0.8, 0.9, 0.95, 0.99] as const;

/** The rows that answers are fitted to; `none` where the network has learnt from all rows. */
export type FittedOn = 'validation' | 'out-of-fold' | 'none';

/**
 * Fits the rule.
 *
 * @param output of the network for the validation part, or of other networks for samples that they had not seen:
 * `[count, outputs]`
 * @throws UserError for options that do not suit the model, or that the validation part is too small for
 */
export function fitAnswerRule(
  validation: Dataset,
  output: Float32Array,
  options: AnswerRuleOptions,
  on: FittedOn = 'validation',
): Fitted {
  const finite = finiteRows(output, validation.count);
  const samples = subset(validation, finite);
  const answers = rowsOf(output, validation.count, finite);
  if (samples.task === 'regression') {
    if (options.threshold)
      throw unexpected(thresholdFlag(options.threshold.rule), 'a model of two classes', 'one of numbers');
    return fitIntervals(answers, samples.values, options.interval, on);
  }
  if (typeof options.interval === 'number') throw unexpected('--interval', 'a model of numbers', 'one of classes');
  const { labels, classes } = samples;
  const temperature = temperatureOf(classLogits(answers, samples.count), labels);
  const logits = classLogits(scaledBy(answers, temperature), samples.count);
  const threshold =
    options.threshold && chooseThreshold(options.threshold, probabilities(logits).data, labels, classes, on);
  const losses = [classLogits(answers, samples.count), logits].map((each) => crossEntropy(each, labels).toFixed(4));
  return {
    ...(temperature !== undefined && { temperature }),
    ...(threshold && { threshold }),
    notes: [
      ...(temperature === undefined
        ? []
        : [`temperature ${temperature}: ${on} log loss ${losses.join(' → ')} on ${count(samples.count)} rows`]),
      ...(threshold ? [describeThreshold(threshold, samples.count, on) + otherClass(options.threshold, classes)] : []),
    ],
  };
}

function fitIntervals(
  answers: Float32Array,
  values: Float32Array,
  asked: AnswerRuleOptions['interval'],
  on: FittedOn,
): Fitted {
  const residuals = Array.from(values, (value, i) => value - at(answers, i));
  const level = asked ?? defaultLevel;
  const all = [...new Set<number>([...levels, ...(level === false ? [] : [level])])].sort((a, b) => a - b);
  const intervals = all.flatMap((level) => {
    const halfWidth = halfWidthOf(level, residuals);
    return halfWidth === undefined ? [] : [{ level, halfWidth }];
  });
  const known = intervals.length > 0 ? { intervals } : {};
  if (level === false) return { ...known, notes: [] };
  if (intervals.some((interval) => interval.level === level)) return { ...known, level, notes: [] };
  const needs = `expected at least ${minResidualsFor(level)} ${rowsOn(on)} for an interval of ${percent(level)}, got ${residuals.length}; ${moreOf(on)}`;
  if (asked !== undefined) throw new UserError(`--interval ${level}: ${needs}`);
  return { ...known, notes: [`without intervals: ${needs}`] };
}

/** Tolerates the binary rounding of a level. */
const ROUNDING = 1e-9;

/** Returns how many residuals an interval of a level needs: ⌈1 / (1 − level)⌉ − 1. */
export const minResidualsFor = (level: number): number => Math.ceil(1 / (1 - level) - ROUNDING) - 1;

/**
 * Returns half the width of an interval that holds a value with a probability of at least `level`, if it comes from the
 * distribution of the residuals' values, by split-conformal prediction: the ⌈(n + 1) level⌉-th smallest of n absolute
 * residuals. Lei et al., https://arxiv.org/abs/1604.04173
 *
 * @returns undefined where there are too few residuals for the level
 */
function halfWidthOf(level: number, residuals: readonly number[]): number | undefined {
  const rank = Math.ceil((residuals.length + 1) * level - ROUNDING);
  return residuals.map(Math.abs).sort((a, b) => a - b)[rank - 1];
}

const rowsOn = (on: FittedOn): string => `${on === 'none' ? 'validation' : on} rows`;

/** Says what would have given more rows. */
const moreOf = (on: FittedOn): string =>
  on === 'none'
    ? 'the network has learnt from its own: --folds 5 in place of --refit answers each by another'
    : '--validation-share keeps more';

/**
 * Chooses the threshold between two classes.
 *
 * @throws UserError for more or fewer classes than two, an unknown class, and a validation part without both classes
 */
export function chooseThreshold(
  { rule, positive }: ThresholdOptions,
  shares: ArrayLike<number>,
  labels: ArrayLike<number>,
  classes: readonly string[],
  on: FittedOn = 'validation',
): ChosenThreshold {
  const flag = thresholdFlag(rule);
  const k = positiveClass(flag, classes, positive);
  const label = at(classes, k);
  if (typeof rule === 'number') return { label, class: k, at: rule };
  const isPositive = Array.from(labels, (each) => each === k);
  const found = isPositive.filter(Boolean).length;
  if (labels.length < MIN_ROWS || found === 0 || found === labels.length) {
    const got = `${count(labels.length)}, ${count(found)} of them ${quote(label)}`;
    throw new UserError(
      oneLine(
        `${flag}: expected at least ${MIN_ROWS} ${rowsOn(on)} with both classes to choose it by, got ${got}; --threshold 0.3 sets one, ${moreOf(on)}`,
      ),
    );
  }
  const positives = Array.from(labels, (_, i) => at(shares, 2 * i + k));
  return { label, class: k, at: bestThreshold(rule, positives, isPositive), rule };
}

/** Returns the option that asks for the rule. */
export const thresholdFlag = (rule: ThresholdRule | number): string =>
  typeof rule === 'object' ? '--cost' : '--threshold';

/**
 * Returns the index of the positive class.
 *
 * @throws UserError for more or fewer classes than two, and an unknown class
 */
function positiveClass(flag: string, classes: readonly string[], positive: string | undefined): number {
  if (classes.length !== 2)
    throw unexpected(flag, 'a model of two classes', classes.length === 0 ? 'one of numbers' : `${classes.length}`);
  if (positive === undefined) return 1;
  const k = classes.indexOf(positive);
  if (k < 0) throw unexpected('--positive', classes.map(quote).join(' or '), quote(positive));
  return k;
}

/**
 * Describes a threshold: `"yes" is the answer from a probability of 0.31 on, chosen for F1 on 1,200 validation rows`.
 */
function describeThreshold({ label, at: threshold, rule }: ChosenThreshold, rows: number, on: FittedOn): string {
  const decision = `${quote(label)} is the answer from a probability of ${threshold} on`;
  if (rule === undefined) return oneLine(decision);
  const what =
    rule === 'f1' ? 'F1' : `a cost of ${rule.fp} for each wrong ${quote(label)} and ${rule.fn} for each missed one`;
  return oneLine(`${decision}, chosen for ${what} on ${count(rows)} ${rowsOn(on)}`);
}

/**
 * Names the option for the other class. Without `--positive` the second class is the positive one, whether rare or not.
 */
const otherClass = ({ rule, positive }: ThresholdOptions, [first = '']: readonly string[]): string =>
  positive === undefined && typeof rule !== 'number' ? oneLine(`; --positive ${quote(first)} is for the other`) : '';

/** Returns the share of values within half a width of the answers. */
export function coverageOf(halfWidth: number, answers: ArrayLike<number>, values: ArrayLike<number>): number {
  const held = Array.from(values, (value, i) => Math.abs(value - at(answers, i)) <= halfWidth);
  return held.filter(Boolean).length / held.length;
}

/** Returns the rule with the fitted threshold and interval. */
export function answerRuleOf({ threshold, level, intervals = [] }: Omit<Fitted, 'notes'>): AnswerRule {
  const halfWidth = intervals.find((interval) => interval.level === level)?.halfWidth;
  return { ...(threshold && { threshold }), ...(halfWidth !== undefined && { halfWidth }) };
}
