/** The mutation run takes a change as noticed only when a test fails because of it. */
import { readFileSync } from 'node:fs';
import { expect, it, vi } from 'vitest';
import { judge } from '../mutation/judge.ts';
import { mutantsOf } from '../mutation/mutants.ts';
import type { Verdict } from '../mutation/report.ts';

const folder = 'test/mutation/example';
const source = readFileSync(`${folder}/room.ts`, 'utf8');

/** Maps each change to what comes of it. The tests of the room say why. */
const expected: Readonly<Record<string, Verdict>> = {
  'a < b  ->  a <= b': 'killed',
  // A test that holds only once, one that fails by itself, and one that is left out kill nothing.
  'a * 2  ->  a / 2': 'survived',
  'i += 1  ->  i -= 1': 'endless',
  'Math.max(3, 4)  ->  Math.min(3, 4)': 'killed',
};

it('tells the changes that tests notice from others that come with a failure', { timeout: 300_000 }, async () => {
  const log = vi.spyOn(console, 'log').mockReturnValue();
  const name = (start: number, end: number, text: string): string => `${source.slice(start, end)}  ->  ${text}`;
  const mutants = mutantsOf(`${folder}/room.ts`, source).filter(
    ({ start, end, text }) => name(start, end, text) in expected,
  );
  const verdicts = await judge(mutants, [`${folder}/first.test.ts`, `${folder}/second.test.ts`], false);
  const found = mutants.map(({ start, end, text }, id) => [name(start, end, text), verdicts.get(id)]);
  expect(Object.fromEntries(found)).toEqual(expected);
  const told = log.mock.calls.flat();
  expect(told).toContain(`cannot be repeated: ${folder}/first.test.ts: holds only once`);
  expect(told).toContain(`fails without a mutant, and kills none: ${folder}/first.test.ts: fails by itself`);
});
