/** The mutation run takes a change as noticed only when a test fails because of it. */
import { readFileSync } from 'node:fs';
import { expect, it, vi } from 'vitest';
import { judge } from '../mutation/judge.ts';
import { type Mutant, mutantsOf } from '../mutation/mutants.ts';
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

const nameOf = ({ start, end, text }: Mutant): string => `${source.slice(start, end)}  ->  ${text}`;
const mutants = mutantsOf(`${folder}/room.ts`, source).filter((mutant) => nameOf(mutant) in expected);
const tests = [`${folder}/first.test.ts`, `${folder}/second.test.ts`];

async function verdictsOf(tried: readonly Mutant[], quick: boolean): Promise<Record<string, Verdict | undefined>> {
  const verdicts = await judge(tried, tests, quick);
  return Object.fromEntries(tried.map((mutant, id) => [nameOf(mutant), verdicts.get(id)]));
}

it('tells the changes that tests notice from others that come with a failure', { timeout: 300_000 }, async () => {
  const log = vi.spyOn(console, 'log').mockReturnValue();
  expect(await verdictsOf(mutants, false)).toEqual(expected);
  const told = log.mock.calls.flat();
  expect(told).toContain(`cannot be repeated: ${folder}/first.test.ts: holds only once`);
  expect(told).toContain(`fails without a mutant, and kills none: ${folder}/first.test.ts: fails by itself`);
  // The same file with other mutants in it is not taken from the run before.
  const others = mutants.filter((mutant) => nameOf(mutant) !== 'a < b  ->  a <= b').toReversed();
  const { 'a < b  ->  a <= b': _, ...expectedOfOthers } = expected;
  expect(await verdictsOf(others, true)).toEqual({
    ...expectedOfOthers,
    'Math.max(3, 4)  ->  Math.min(3, 4)': 'left out',
  });
});
