/** The mutation run makes the changes it says, and leaves a program as it is while all mutants are asleep. */
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { instrumented, mutantsOf, mutated } from '../mutation/mutants.ts';

const changes = (source: string): string[] => mutantsOf('a.ts', source).map((mutant) => mutated(source, mutant));

describe('the mutants of', () => {
  it.each<[what: string, source: string, expected: readonly string[]]>([
    ['a comparison', 'a < b', ['a <= b']],
    ['an equality in a condition', 'a === b ? c : d', ['a !== b ? c : d']],
    ['another condition', 'a ? c : d', ['!(a) ? c : d']],
    ['a product', 'a * b', ['a / b']],
    ['a text joined to another', "a + ' more'", []],
    ['a number', 'a(2)', ['', 'a(3)']],
    ['a name', "a('name')", ['', "a('')"]],
    ['a message', "a('no name')", ['']],
    ['what a size is called in a message', "x = known('an axis', a)", ['']],
    ['a throw', 'throw new Error(`${a + 1}`)', ['']],
    ['a chain that may end early', 'x = a?.b.c', ['', 'x = a.b.c']],
    ['a default', 'x = a ?? b', ['', 'x = a']],
    ['an array', 'x = [a]', ['', 'x = []']],
    ['a method', 'x = a.sort()', ['', 'x = a']],
    ['two methods that mirror each other', 'x = a.some(f)', ['', 'x = a.every(f)']],
    ['a method that all objects have', 'x = a.toString()', ['']],
    ['types and the names of properties', "interface A { b: 1 }; const c = { 'd': e }", []],
  ])('%s', (_, source, expected) => {
    const wholes = changes(source).filter((text) => text !== '');
    const removals = expected.includes('') ? [''] : [];
    expect([...removals, ...wholes]).toEqual(expected);
  });
});

describe('a file with all its mutants in it', () => {
  const source = `let sum = 0; for (let i = 0; i < 3 && go; i += 1) { sum = sum + (xs[i] ?? 1) * 2; } return sum`;
  const context = { go: true, xs: [4, undefined, 6] };
  const runWith = (text: string, awake: number): unknown => {
    let steps = 0;
    const __mutant = (id: number): boolean => {
      if (++steps > 1000) throw new Error('endless');
      return id === awake;
    };
    try {
      return runInNewContext(`(() => { ${text} })()`, { ...context, __mutant });
    } catch (error) {
      return String(error);
    }
  };
  const mutants = mutantsOf('a.ts', source);
  const all = instrumented(source, new Map(mutants.entries()));

  it('does what it did while they are asleep', () => {
    expect(runWith(all, -1)).toBe(22);
  });

  it.each(mutants.map((mutant, id) => [mutated(source, mutant), id] as const))(
    'is %s when that is awake',
    (text, id) => {
      const alone = text.includes('i -= 1') || text.includes('i < 3 || go') ? 'Error: endless' : runWith(text, -1);
      expect(runWith(all, id)).toEqual(alone);
    },
  );
});
