/** Parses the values of options. */
import { InvalidArgumentError } from 'commander';
import {
  type Augmentation,
  type AugmentationKind,
  augmentationSchema,
  type ImageSize,
  defaultAugmentation,
} from '../../training/data/index.ts';
import { check } from '../../training/files/index.ts';

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

const namedSigns: Readonly<Record<string, string>> = { '\\t': '\t', tab: '\t', space: ' ', comma: ',', semicolon: ';' };

export function oneSign(text: string): string {
  const sign = namedSigns[text.toLowerCase()] ?? text;
  if (sign.length !== 1) throw new InvalidArgumentError('Expected one character, \\t or space.');
  return sign;
}

export function oneQuote(text: string): string {
  if (text !== 'none' && text.length !== 1) throw new InvalidArgumentError('Expected one character or none.');
  return text;
}

export function someText(text: string): string {
  if (text === '') throw new InvalidArgumentError('Expected a character such as #.');
  return text;
}

export function imageSize(text: string): ImageSize {
  const [, columns, rows = columns] = /^([1-9]\d{0,3})(?:x([1-9]\d{0,3}))?$/.exec(text) ?? [];
  if (columns === undefined) throw new InvalidArgumentError('Expected a size such as 32 or 48x32.');
  return { rows: Number(rows), columns: Number(columns) };
}

export function colour(text: string): string {
  const named = { white: '#ffffff', black: '#000000' }[text.toLowerCase()];
  const [digits] = /(?<=^#?)(?:[0-9a-f]{6}|[0-9a-f]{3})$/.exec(text.toLowerCase()) ?? [];
  if (named !== undefined) return named;
  if (digits === undefined) throw new InvalidArgumentError('Expected white, black or a colour such as #20a040.');
  return `#${digits.length === 3 ? digits.replaceAll(/./g, '$&$&') : digits}`;
}

const kinds = Object.keys(defaultAugmentation) as AugmentationKind[];

/** Parses `flip,shift=0.1`, which says how pictures are changed in training. */
export function augmentation(text: string): 'all' | Augmentation {
  if (text === 'all') return text;
  const members = text.split(',').map((part) => {
    const [name = '', strength] = part.split('=');
    const kind = kinds.find((known) => known === name);
    if (!kind) throw new InvalidArgumentError(`Expected all, or some of ${kinds.join(', ')}, such as flip,shift=0.1.`);
    return [kind, strength === undefined ? defaultAugmentation[kind] : Number(strength)] as const;
  });
  const result = check(augmentationSchema, Object.fromEntries(members));
  if (typeof result === 'string') throw new InvalidArgumentError(`${result}.`);
  return result.value;
}
