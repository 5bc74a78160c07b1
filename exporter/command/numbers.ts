/** Parses numbers on the command line. */
import { InvalidArgumentError } from 'commander';

const parse = (text: string, expected: string, fits: (value: number) => boolean): number => {
  const value = text.trim() === '' ? NaN : Number(text);
  if (!fits(value)) throw new InvalidArgumentError(`Expected ${expected}.`);
  return value;
};

export const wholeNumber = (min: number) => (text: string) =>
  parse(text, `a whole number of at least ${min}`, (value) => Number.isSafeInteger(value) && value >= min);

export const positive = (text: string) =>
  parse(text, 'a number above 0', (value) => Number.isFinite(value) && value > 0);

export const atLeastZero = (text: string) =>
  parse(text, 'a number of at least 0', (value) => Number.isFinite(value) && value >= 0);

export const fraction = (text: string) => parse(text, 'a number in [0, 1)', (value) => value >= 0 && value < 1);

/** Parses a number in [0, 1), or the word `none`. */
export const fractionOrNone = (text: string) => (text === 'none' ? text : fraction(text));

/** Parses a list such as `64,32`. */
export const wholeNumbers = (text: string): readonly number[] => text.split(',').map(wholeNumber(1));
