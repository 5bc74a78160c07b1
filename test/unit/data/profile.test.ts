/** What one pass over a column collects. */
import { expect, it } from 'vitest';
import {
  ColumnProfile,
  MAX_CATEGORIES,
  type ProfileOptions,
  sortTexts,
  TextBudget,
} from '../../../training/data/profile.ts';

const profileOf = (texts: Iterable<string>, options: Partial<ProfileOptions> = {}): ColumnProfile => {
  const budget = new TextBudget();
  const profile = new ColumnProfile('x', { decimal: '.', isLabel: false, keepsNumbers: false, budget, ...options });
  let line = 1;
  for (const text of texts) profile.add(text, ++line);
  return profile;
};

/** Texts of one word each, twice; there are more of them than the profile keeps. */
const words = Array.from({ length: 2 * MAX_CATEGORIES }, (_, i) => [`w${i}`, `w${i}`]).flat();

it.each<[string, readonly string[], number]>([
  ['one word', ['red', 'blue', 'red'], 1],
  ['as many as there are on average', ['red', 'light blue', 'very dark sea green'], 7 / 3],
  ['one word, where most texts are not kept', words, 1],
  ['one word, where those that are not kept are longer', [...words, ...words.map((word) => `${word} and more`)], 1],
  ['no words at all', ['1', '2'], 0],
])('kept texts have %s', (_, texts, expected) => {
  expect(profileOf(texts).wordsInText()).toBeCloseTo(expected, 12);
});

it.each<[string, readonly string[], Partial<ColumnProfile>]>([
  ['the least and the largest', ['3', '-2', '7.5'], { min: -2, max: 7.5, isWhole: false }],
  ['whole ones', ['3', '-2', '1e3'], { min: -2, max: 1000, isWhole: true, isPlain: true }],
  ['row numbers', ['5', '6', '7'], { isCounting: true }],
  ['row numbers with a gap', ['5', '6', '8'], { isCounting: false }],
  ['row numbers that repeat', ['5', '6', '6'], { isCounting: false }],
  ['row numbers that fall', ['6', '5', '4'], { isCounting: false }],
  ['codes', ['00501', '10001', '94110'], { isOfCodes: true, firstPadded: { line: 2, text: '00501' } }],
  ['codes of three digits', ['007', '123'], { isOfCodes: true }],
  ['months', ['01', '12'], { isOfCodes: false, firstPadded: { line: 2, text: '01' } }],
  ['codes of unequal length', ['00501', '1001'], { isOfCodes: false }],
  ['codes beside fractions', ['00501', '1.5'], { isOfCodes: false }],
  ['no padded ones', ['12345', '94110'], { isOfCodes: false, firstPadded: undefined }],
  ['points that may group', ['1.031', '942'], { pointsMayGroup: true }],
  ['points that may group, in tens of thousands', ['12.031', '942', '123.456'], { pointsMayGroup: true }],
  ['points alone', ['1.031', '2.942'], { pointsMayGroup: false }],
  ['whole ones of four digits beside points', ['1.031', '1942', '942'], { pointsMayGroup: false }],
  ['a point before two digits', ['1.031', '942', '1.25'], { pointsMayGroup: false }],
  ['a point behind nothing', ['1.031', '.5'], { pointsMayGroup: false }],
  ['a point behind a zero', ['0.031', '942'], { pointsMayGroup: false }],
  ['a point behind four digits', ['1031.042', '942'], { pointsMayGroup: false }],
  ['units', ['$3', '$4.50'], { unit: '$', isPlain: false }],
  ['gaps', ['1', 'NA', '2', ''], { missing: 2, firstMissing: 3 }],
  ['one beyond float32', ['1', '1e39', '2e39'], { firstUnfit: { line: 3, text: '1e39' } }],
  ['words between them', ['1', 'two', '3', 'four'], { firstWord: { line: 3, text: 'two' } }],
  ['days', ['2024-05-17', '2021-01-02'], { firstYear: 2021, lastYear: 2024, hasDays: true, hasHours: false }],
  ['times of days', ['2024-05-17 13:00'], { hasDays: true, hasHours: true, alwaysHasDay: true }],
  ['times alone', ['13:15', '2024-05-17'], { hasDays: true, hasHours: true, alwaysHasDay: false }],
  ['midnights', ['2024-05-17 00:00'], { hasDays: true, hasHours: false }],
])('of numbers or dates with %s', (_, texts, expected) => {
  const profile = profileOf(texts);
  for (const [name, value] of Object.entries(expected)) {
    expect(profile[name as keyof ColumnProfile], name).toEqual(value);
  }
});

it.each<[string, readonly string[], readonly string[]]>([
  ['American', ['05/17/2024', '01/02/2024'], ['MDY']],
  ['European', ['17/05/2024', '01/02/2024'], ['DMY']],
  ['either', ['01/02/2024'], ['MDY', 'DMY']],
  ['neither, taken together', ['05/17/2024', '17/05/2024'], []],
])('dates whose order is %s', (_, texts, expected) => {
  expect(profileOf(texts).orders).toEqual(expected);
});

it('texts are counted by kind, kept or not, and each kept one takes from the budget', () => {
  const budget = new TextBudget();
  const before = budget.left;
  const profile = profileOf(['a', '1', 'a', '2024-05-17', 'b', 'NA'], { budget });
  expect(profile.counts()).toEqual({ number: 1, date: 1, word: 3 });
  expect(before - budget.left).toBe(3);
  expect([...profile.texts].map(([text, { count }]) => `${text} ${count}`)).toEqual(['a 2', '2024-05-17 1', 'b 1']);
});

it('a profile is full after one text more than it keeps, and counts on', () => {
  const profile = profileOf([...words, ...words, 'last']);
  expect(profile.isFull).toBe(true);
  expect(profile.texts.size).toBe(MAX_CATEGORIES + 1);
  expect(profile.rowsUntilFull).toBe(2 * MAX_CATEGORIES + 1);
  expect(profile.counts()).toEqual({ number: 0, date: 0, word: 2 * words.length + 1 });
});

it.each<[string, number, number, Partial<ProfileOptions>, boolean]>([
  ['95 of 100 rows', 1001, 53, {}, true],
  ['fewer rows', 1001, 54, {}, false],
  ['95 of 100 rows of a column that is said to hold categories', 1001, 53, { isDeclared: true }, false],
  ['more rows than a label may have classes', 1001, 0, { isLabel: true }, true],
  ['as many rows as a label may have classes', 1000, 0, { isLabel: true }, false],
])('a profile with another text in %s is full or not', (_, different, repeated, options, isFull) => {
  const texts = Array.from({ length: different }, (__, i) => `w${i}`);
  const profile = profileOf([...Array<string>(repeated).fill('w0'), ...texts.slice(1), 'w0'], options);
  expect(profile.isFull).toBe(isFull);
});

it.each<[string, readonly string[], Partial<ColumnProfile>]>([
  ['amounts with points', ['$1.031', '$942'], { pointsMayGroup: false }],
  ['gaps in a label', ['a', 'None', '-', 'None', 'NA'], { missing: 1, firstDoubtful: 3, firstMissing: 6 }],
])('of a label or not, with %s', (_, texts, expected) => {
  const profile = profileOf(texts, { isLabel: true, keepsNumbers: true });
  expect(profile).toMatchObject(expected);
});

it.each<[string, readonly string[], readonly string[]]>([
  ['numbers by size', ['10', '9', '-1'], ['-1', '9', '10']],
  ['texts of one number by their signs', ['1.0', '1', '01'], ['01', '1', '1.0']],
  ['numbers beside a word by their signs', ['10', '9', 'b'], ['10', '9', 'b']],
])('texts are sorted: %s, in whichever order they come', (_, texts, sorted) => {
  expect(sortTexts(texts)).toEqual(sorted);
  expect(sortTexts(texts.toReversed())).toEqual(sorted);
});
