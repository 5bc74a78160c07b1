/** What one pass over a column collects. */
import { expect, it } from 'vitest';
import { ColumnProfile, MAX_CATEGORIES } from '../../../training/data/profile.ts';

const profileOf = (texts: Iterable<string>): ColumnProfile => {
  const profile = new ColumnProfile('x', {
    decimal: '.',
    isLabel: false,
    keepsNumbers: false,
    budget: { left: 10 * MAX_CATEGORIES },
  });
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
