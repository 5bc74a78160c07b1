/**
 * The options that say how answers are read: from which probability on a class is given, and how wide the interval
 * around a number is.
 */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { unexpected } from '../../training/files/index.ts';
import type { AnswerRuleOptions, ThresholdRule } from '../../training/objective/index.ts';

export interface ReadingFlags {
  readonly threshold?: 'f1' | number;
  readonly cost?: Exclude<ThresholdRule, 'f1'>;
  readonly positive?: string;
  readonly interval?: number | false;
}

export function addReadingOptions(command: Command): Command {
  return command
    .optionsGroup('How answers are read:')
    .addOption(
      new Option(
        '--threshold <f1|p>',
        'of two classes: answer one from a probability on, chosen on the validation part for F1, or p itself',
      )
        .argParser(threshold)
        .conflicts('cost'),
    )
    .option(
      '--cost <fp=1,fn=5>',
      'choose the threshold so that wrong and missed ones cost the least on the validation part',
      cost,
    )
    .option('--positive <label>', 'the class that the threshold is of (default: the second)')
    .option(
      '--interval <level>',
      'of a number: the share of values that the interval around it is to hold (default: 0.9)',
      level,
    )
    .option('--no-interval', 'give the number alone');
}

/**
 * Separates the options about reading from the others.
 *
 * @throws UserError for a class without a threshold
 */
export function takeReading<F extends ReadingFlags>({
  threshold,
  cost,
  positive,
  interval,
  ...others
}: F): { readonly reading: AnswerRuleOptions; readonly others: Omit<F, keyof ReadingFlags> } {
  const rule = cost ?? threshold;
  if (positive !== undefined && rule === undefined)
    throw unexpected('--positive', '--threshold or --cost beside it', positive);
  return {
    reading: {
      ...(rule !== undefined && { threshold: { rule, positive } }),
      ...(interval !== undefined && { interval }),
    },
    others,
  };
}

function threshold(text: string): 'f1' | number {
  if (text.toLowerCase() === 'f1') return 'f1';
  return between(text, 'f1, or a probability in (0, 1) such as 0.3');
}

const level = (text: string): number => between(text, 'a share in (0, 1) such as 0.9');

function between(text: string, expected: string): number {
  const value = text.trim() === '' ? NaN : Number(text);
  if (!(value > 0 && value < 1)) throw new InvalidArgumentError(`Expected ${expected}.`);
  return value;
}

/** Parses costs such as `fp=1,fn=5`: of a false positive, and of a false negative. */
function cost(text: string): Exclude<ThresholdRule, 'f1'> {
  const given = new Map(text.split(',').map((part) => [part.split('=')[0]?.trim(), part.split('=')[1]?.trim()]));
  const [fp, fn] = ['fp', 'fn'].map((name) => {
    const value = given.get(name) ?? '';
    return value === '' ? NaN : Number(value);
  });
  const isCost = (value: number | undefined): value is number =>
    value !== undefined && Number.isFinite(value) && value > 0;
  if (given.size !== 2 || !isCost(fp) || !isCost(fn))
    throw new InvalidArgumentError('Expected two costs above 0, such as fp=1,fn=5.');
  return { fp, fn };
}
