/**
 * What is fitted to the validation part when training is over: the temperature of probabilities, the threshold between two classes, and
 * the intervals around numbers.
 */
import type { Interval, Threshold } from '../answers/index.ts';
import { type Dataset, subset } from '../data/index.ts';
import { count, oneLine, percent, quote, unexpected, UserError } from '../files/index.ts';
import { classLogits, crossEntropy, probabilities } from './metrics/classification.ts';
import { fewestFor, halfWidthOf } from './metrics/conformal.ts';
import { scaledBy, temperatureOf } from './metrics/temperature.ts';
import { bestThreshold, type ThresholdRule } from './metrics/threshold.ts';
import { finiteRows, rowsOf } from './report.ts';
import type { Reading } from './rule.ts';
export { fewestFor } from './metrics/conformal.ts';
export type { ThresholdRule } from './metrics/threshold.ts';

export interface ThresholdWish {
  /** What it is chosen for, or the probability itself. */
  readonly rule: ThresholdRule | number;
  /** The class that is told from it on; of the two the second when omitted. */
  readonly positive?: string | undefined;
}

export interface ReadingWish {
  /** The most probable class is told when omitted. */
  readonly threshold?: ThresholdWish | undefined;
  /** The share that an interval around a number holds; 0.9 when omitted, where the validation part suffices, and false for none. */
  readonly interval?: number | false | undefined;
}

export interface ChosenThreshold extends Threshold {
  readonly label: string;
  /** What it was chosen for; absent of one that was given. */
  readonly rule?: ThresholdRule;
}

export interface Fitted {
  /** What logits are divided by; absent where they are better as they are. */
  readonly temperature?: number;
  readonly threshold?: ChosenThreshold;
  /** The level that is told. */
  readonly level?: number;
  /** For each level that the validation part suffices for. */
  readonly intervals?: readonly Pick<Interval, 'level' | 'halfWidth'>[];
  /** What was found, a line each. */
  readonly notes: readonly string[];
}

/** A smaller validation part says too little. */
const FEWEST = 30;
const usualLevel = 0.9;
/** Of which a card tells how wide they are, so that another may be chosen. */
const levels = [0.5, 0.8, 0.9, 0.95, 0.99] as const;

/** Whose rows answers are read by; none where a network has learnt from all of its own. */
export type FittedOn = 'validation' | 'out-of-fold' | 'none';

/**
 * @param output what the network gives for the validation part, or others have given for samples that they had not seen: `[count, outputs]`
 * @throws UserError for a wish that does not suit the model, or that the validation part is too small for
 */
export function fitReading(
  validation: Dataset,
  output: Float32Array,
  wish: ReadingWish,
  on: FittedOn = 'validation',
): Fitted {
  const finite = finiteRows(output, validation.count);
  const samples = subset(validation, finite);
  const answers = rowsOf(output, validation.count, finite);
  if (samples.task === 'regression') {
    if (wish.threshold)
      throw unexpected(thresholdFlag(wish.threshold.rule), 'a model of two classes', 'one of numbers');
    return fitIntervals(answers, samples.values, wish.interval, on);
  }
  if (typeof wish.interval === 'number') throw unexpected('--interval', 'a model of numbers', 'one of classes');
  const { labels, classes } = samples;
  const temperature = temperatureOf(classLogits(answers, samples.count), labels);
  const logits = classLogits(scaledBy(answers, temperature), samples.count);
  const threshold = wish.threshold && chooseThreshold(wish.threshold, probabilities(logits).data, labels, classes, on);
  const losses = [classLogits(answers, samples.count), logits].map((some) => crossEntropy(some, labels).toFixed(4));
  return {
    ...(temperature !== undefined && { temperature }),
    ...(threshold && { threshold }),
    notes: [
      ...(temperature === undefined
        ? []
        : [`temperature ${temperature}: ${on} log loss ${losses.join(' → ')} on ${count(samples.count)} rows`]),
      ...(threshold ? [describeThreshold(threshold, samples.count, on) + otherClass(wish.threshold, classes)] : []),
    ],
  };
}

function fitIntervals(
  answers: Float32Array,
  values: Float32Array,
  wish: ReadingWish['interval'],
  on: FittedOn,
): Fitted {
  const residuals = Array.from(values, (value, i) => value - (answers[i] ?? NaN));
  const level = wish ?? usualLevel;
  const all = [...new Set<number>([...levels, ...(level === false ? [] : [level])])].sort((a, b) => a - b);
  const intervals = all.flatMap((level) => {
    const halfWidth = halfWidthOf(level, residuals);
    return halfWidth === undefined ? [] : [{ level, halfWidth }];
  });
  const known = intervals.length > 0 ? { intervals } : {};
  if (level === false) return { ...known, notes: [] };
  if (intervals.some((interval) => interval.level === level)) return { ...known, level, notes: [] };
  const needs = `expected at least ${fewestFor(level)} ${rowsOn(on)} for an interval of ${percent(level)}, got ${residuals.length}; ${moreOf(on)}`;
  if (wish !== undefined) throw new UserError(`--interval ${level}: ${needs}`);
  return { ...known, notes: [`without intervals: ${needs}`] };
}

const rowsOn = (on: FittedOn): string => `${on === 'none' ? 'validation' : on} rows`;

/** What would have brought more rows. */
const moreOf = (on: FittedOn): string =>
  on === 'none'
    ? 'the network has learnt from its own: --folds 5 in place of --refit answers each by another'
    : '--validation-share keeps more';

/** @throws UserError for more or fewer classes than two, another class than those, and a validation part without both */
export function chooseThreshold(
  { rule, positive }: ThresholdWish,
  shares: ArrayLike<number>,
  labels: ArrayLike<number>,
  classes: readonly string[],
  on: FittedOn = 'validation',
): ChosenThreshold {
  const flag = thresholdFlag(rule);
  const k = positiveClass(flag, classes, positive);
  const label = classes[k] ?? '';
  if (typeof rule === 'number') return { label, class: k, at: rule };
  const isPositive = Array.from(labels, (one) => one === k);
  const found = isPositive.filter(Boolean).length;
  if (labels.length < FEWEST || found === 0 || found === labels.length) {
    const got = `${count(labels.length)}, ${count(found)} of them ${quote(label)}`;
    throw new UserError(
      oneLine(
        `${flag}: expected at least ${FEWEST} ${rowsOn(on)} with both classes to choose it by, got ${got}; --threshold 0.3 sets one, ${moreOf(on)}`,
      ),
    );
  }
  const of = Array.from(labels, (_, i) => shares[2 * i + k] ?? NaN);
  return { label, class: k, at: bestThreshold(rule, of, isPositive), rule };
}

/** The option that asks for it. */
export const thresholdFlag = (rule: ThresholdRule | number): string =>
  typeof rule === 'object' ? '--cost' : '--threshold';

/** @throws UserError for more or fewer classes than two, and another than those */
function positiveClass(flag: string, classes: readonly string[], positive: string | undefined): number {
  if (classes.length !== 2)
    throw unexpected(flag, 'a model of two classes', classes.length === 0 ? 'one of numbers' : `${classes.length}`);
  if (positive === undefined) return 1;
  const k = classes.indexOf(positive);
  if (k < 0) throw unexpected('--positive', classes.map(quote).join(' or '), quote(positive));
  return k;
}

/** `"yes" is told from a probability of 31 % on, chosen for F1 on 1,200 validation rows` */
function describeThreshold({ label, at, rule }: ChosenThreshold, rows: number, on: FittedOn): string {
  const said = `${quote(label)} is told from a probability of ${at} on`;
  if (rule === undefined) return oneLine(said);
  const what =
    rule === 'f1' ? 'F1' : `a cost of ${rule.fp} for each wrong ${quote(label)} and ${rule.fn} for each missed one`;
  return oneLine(`${said}, chosen for ${what} on ${count(rows)} ${rowsOn(on)}`);
}

/** What nobody has named is the second of the two, be it the rare one or not. */
const otherClass = ({ rule, positive }: ThresholdWish, [first = '']: readonly string[]): string =>
  positive === undefined && typeof rule !== 'number' ? oneLine(`; --positive ${quote(first)} is for the other`) : '';

/** The share of values within half a width of the answers. */
export function coverageOf(halfWidth: number, answers: ArrayLike<number>, values: ArrayLike<number>): number {
  const held = Array.from(values, (value, i) => Math.abs(value - (answers[i] ?? NaN)) <= halfWidth);
  return held.filter(Boolean).length / held.length;
}

/** How what was fitted reads answers. */
export function readingOf({ threshold, level, intervals = [] }: Omit<Fitted, 'notes'>): Reading {
  const halfWidth = intervals.find((interval) => interval.level === level)?.halfWidth;
  return { ...(threshold && { threshold }), ...(halfWidth !== undefined && { halfWidth }) };
}
