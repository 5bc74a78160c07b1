/** Rare classes are noted before training. */
import { expect, it } from 'vitest';
import type { Dataset } from '../../../training/data/index.ts';
import { chooseObjective, notesOnRarity } from '../../../training/run/objective.ts';

/** Returns a data set with so many samples of each class. */
function ofClasses(counts: Readonly<Record<string, number>>): Dataset {
  const classes = Object.keys(counts);
  const labels = Int32Array.from(Object.values(counts).flatMap((count, k) => Array<number>(count).fill(k)));
  const count = labels.length;
  return { task: 'classification', labels, classes, count, inputs: new Float32Array(count), inputShape: [1] };
}

const note = (counts: Readonly<Record<string, number>>, balanceClasses = false) => {
  const data = ofClasses(counts);
  return notesOnRarity(chooseObjective({ balanceClasses }, data), data);
};

it.each<[string, Readonly<Record<string, number>>, readonly string[]]>([
  [
    'of two classes',
    { no: 98, yes: 2 },
    [
      '"yes" is 2.00 % of the training samples, which accuracy hardly shows: --balance-classes weighs rare classes; export --threshold f1, or --cost, tells it more often',
    ],
  ],
  [
    'of four classes',
    { a: 50, b: 2, c: 50, d: 50 },
    ['"b" is 1.32 % of the training samples, which accuracy hardly shows: --balance-classes weighs rare classes'],
  ],
  ['of two classes that are not rare', { no: 94, yes: 6 }, []],
])('names the rarest %s', (_name, counts, lines) => {
  expect(note(counts)).toEqual(lines);
});

it('says nothing where classes are weighed, and of numbers', () => {
  expect(note({ no: 98, yes: 2 }, true)).toEqual([]);
  const numbers: Dataset = { task: 'regression', values: new Float32Array(2), count: 2, inputs: new Float32Array(2), inputShape: [1] }; // oxfmt-ignore
  expect(notesOnRarity(chooseObjective({}, numbers), numbers)).toEqual([]);
});
