/** The bounds at which the inference of a column turns from one answer to the next. */
import { describe, expect, it } from 'vitest';
import { inferColumn } from '../../../training/data/infer-column.ts';
import type { InferenceOptions } from '../../../training/data/inferred.ts';
import { inferLabel, type LabelOptions } from '../../../training/data/infer-label.ts';
import { ColumnProfile, MAX_CLASSES, type ProfileOptions, TextBudget } from '../../../training/data/profile.ts';

function profileOf(name: string, cells: readonly string[], options: Partial<ProfileOptions> = {}): ColumnProfile {
  const budget = new TextBudget();
  const profile = new ColumnProfile(name, { decimal: '.', isLabel: false, keepsNumbers: false, budget, ...options });
  for (const [i, cell] of cells.entries()) profile.add(cell, i + 2);
  return profile;
}

const list = (count: number, make: (i: number) => string): string[] => Array.from({ length: count }, (_, i) => make(i));

const infer = (cells: readonly string[], options: Partial<InferenceOptions> = {}, name = 'x') =>
  inferColumn(profileOf(name, cells), {
    kind: undefined,
    imputation: undefined,
    refusesGaps: false,
    rows: cells.length,
    ...options,
  });

/** Names the kind of a column, or says why it is left out. */
const kindOf = (...args: Parameters<typeof infer>): string => {
  const { column, summary } = infer(...args);
  return column?.kind ?? summary.done.replace(/;.*/, '');
};

const mixed = (numbers: number, others: readonly string[]): string[] => [...list(numbers, (i) => `${i}.5`), ...others];
const words = (count: number, different: number, text = ''): string[] => list(count, (i) => `w${i % different}${text}`);

describe('a column is', () => {
  it.each<[string, string, readonly string[]]>([
    ['numeric', 'nine numbers in ten cells', mixed(18, ['a', 'b'])],
    ['categorical', 'fewer numbers', mixed(17, ['a', 'a', 'a'])],
    ['numeric', 'nine numbers in ten cells that are not gaps', mixed(9, ['a', '', 'NA'])],
    ['date', 'nine dates in ten cells', [...list(18, (i) => `2024-01-${10 + i}`), 'a', 'b']],
    ['categorical', 'fewer dates', [...list(17, (i) => `2024-01-${10 + (i % 3)}`), 'a', 'a', 'a']],
    ['holds free text', 'texts of four words, of which half differ', words(20, 10, ' of four words')],
    ['categorical', 'texts of three words', words(20, 10, ' has three')],
    ['categorical', 'texts of four words, of which fewer differ', words(20, 9, ' of four words')],
    ['categorical', 'texts in few rows', words(19, 19, ' of four words')],
    ['has another text in nearly every row', 'words of which 95 in 100 differ', words(20, 19)],
    ['categorical', 'words of which fewer differ', words(20, 18)],
    ['categorical', 'different words in few rows', words(19, 19)],
    ['has another text in nearly every row', 'different words beside gaps', [...words(20, 20), '', 'NA']],
    ['categorical', 'different words in few rows, beside gaps', [...words(19, 19), '', 'NA']],
    ['holds no value', 'gaps', ['', 'NA']],
  ])('%s: %s', (kind, _, cells) => {
    expect(kindOf(cells)).toBe(kind);
  });

  it.each<[string, string, readonly string[]]>([
    ['too many words to be categories', '', list(40_000, (i) => `w${Math.floor(i / 2) % 10_001}`)],
    ['too many words in nearly every row', 'has another text in nearly every row', words(10_100, 10_001)],
  ])('of %s', (_, why, cells) => {
    const { column, summary, problems } = infer(cells);
    expect([column, summary.done.replace(/;.*/, ''), problems.length]).toEqual([null, why, why === '' ? 1 : 0]);
  });

  it.each<[string, readonly string[], object | null]>([
    ['times', ['13:15', '14:15'], { parts: ['hour'], years: [0, 0], order: 'YMD' }],
    [
      'days of two years',
      ['31.12.2023', '01.01.2024'],
      { parts: ['year', 'season', 'day of month', 'weekday'], years: [2023, 2024], order: 'DMY' },
    ],
    ['days and times', ['2024-01-01 13:15', '14:15'], null],
    ['days in two orders', ['05/17/2024', '17/05/2024'], null],
  ])('of %s is one of dates or of none', (_, cells, expected) => {
    const { column } = infer(cells);
    if (expected === null) expect(column).toBeNull();
    else expect(column).toMatchObject({ kind: 'date', ...expected });
  });

  it('strict in all cells, though its gaps are filled, where none is of another kind', () => {
    expect(infer(['1', '2', ''], { imputation: 'median' }).column).toEqual({ kind: 'numeric', name: 'x', fill: null });
  });

  it('kept where a value is said for its gaps, though it holds nothing else', () => {
    expect(kindOf(['', ''], { imputation: '0' })).toBe('numeric');
    expect(kindOf(['', ''], { imputation: 'refuse' })).toBe('holds no value');
  });

  it.each<[string, string, readonly string[], boolean]>([
    ['twenty rows', 'id', list(20, String), true],
    ['nineteen rows', 'id', list(19, String), false],
    ['a gap', 'id', [...list(20, String), ''], false],
    ['fractions', 'id', list(20, (i) => `${i}.5`), false],
    ['a number that is left out', 'id', [...list(20, String), '21'], false],
    ['a name that says so in two words', 'Row Number', list(20, String), true],
    ['a name that ends in Id', 'customerId', list(20, String), true],
    ['a name that ends in ID, as databases write it', 'CUSTOMERID', list(20, String), true],
    ['a word that ends in id', 'paid', list(20, String), false],
    ["pandas' name", 'Unnamed: 0', list(20, String), true],
    ['the name of a position', '1', list(20, String), true],
  ])('of row numbers or not: %s', (_, name, cells, isLeftOut) => {
    expect(kindOf(cells, {}, name)).toBe(isLeftOut ? 'numbers the rows' : 'numeric');
  });
});

describe('a column is said', () => {
  const notesOf = (...args: Parameters<typeof infer>) => infer(...args).notes.join('\n');
  const numbers = (count: number, others: number) => [...list(count, (i) => `${i % 2}`), ...list(others, () => 'none')];
  const rare = (categories: number, single: number) => [
    ...words(categories, categories),
    ...words(categories - single, categories - single),
    ...words(categories - single, categories - single),
  ];
  const profiled = (cells: readonly string[]) =>
    inferColumn(profileOf('x', cells, { keepsNumbers: true }), {
      kind: undefined,
      imputation: undefined,
      refusesGaps: false,
      rows: cells.length,
    }).notes.join('\n');

  it('to be numbers for half of it', () => {
    expect(profiled(numbers(10, 10))).toBe(
      'column "x" is read as 3 categories, though 50.00 % of it are numbers (line 12: "none"); --numeric x --missing x=median takes the others for missing',
    );
    expect(profiled(numbers(9, 11))).toBe('');
    expect(profiled([...numbers(10, 10), '', ''])).toContain('though 50.00 % of it');
  });

  it('to have many rare categories, from a hundred on, where most are rare', () => {
    expect(notesOf(rare(100, 51))).toContain('has 100 categories, 51 of them in one or two rows only');
    expect(notesOf(rare(100, 50))).toBe('');
    expect(notesOf(rare(99, 60))).toBe('');
  });

  it('with all of its categories up to four', () => {
    expect(infer(words(8, 4)).summary.values).toBe('w0, w1, w2, w3');
    expect(infer(words(10, 5)).summary.values).toBe('w0, w1, w2, w3, … (5)');
  });

  it('with the range and unit of its numbers', () => {
    expect(infer(['$1.50', '$1234567']).summary).toMatchObject({
      values: '1.5 … 1234570 $',
      done: 'formatted numbers read as numbers',
    });
    expect(infer(['', ''], { imputation: '0' }).summary.values).toBe('');
    expect(infer(['3', '3']).summary.values).toBe('3 … 3');
  });

  it('by its name in quotes where a flag needs them', () => {
    const { problems } = infer(['1', 'a'], { kind: 'numeric' }, 'my column');
    expect(problems.join()).toContain('--ignore "my column" leaves the column out');
  });
});

describe('cells of another kind', () => {
  const problemOf = (...args: Parameters<typeof infer>) => infer(...args).problems.join('\n');
  it.each<[string, readonly string[], Partial<InferenceOptions>, string]>([
    [
      'up to half of them',
      ['1', 'a'],
      { kind: 'numeric' },
      'line 3, column "x": expected a number, as 1 of 2 cells are, got "a"; ',
    ],
    ['more than half', ['1', 'a', 'b'], { kind: 'numeric' }, 'line 3, column "x": expected a number, got "a"; '],
    [
      'a date among numbers',
      ['1', '2024-01-01'],
      { kind: 'numeric' },
      'column "x": expected a number, as 1 of 2 cells are, got a date; ',
    ],
    [
      'a number among dates',
      ['2024-01-01', '5.5'],
      { kind: 'date' },
      'column "x": expected a date, as 1 of 2 cells are, got a number; ',
    ],
    ['no dates at all', ['', ''], { kind: 'date' }, 'column "x": expected dates, got none; '],
    [
      'dates in two orders',
      ['05/17/2024', '17/05/2024'],
      {},
      'column "x": expected dates written in one way, got several; ',
    ],
    [
      'a date among times',
      ['13:15', '2024-01-01 13:15'],
      {},
      'column "x": expected dates written in one way, got several; ',
    ],
    [
      'gaps that are refused',
      ['1', '', '2'],
      { refusesGaps: true },
      'line 3, column "x": expected a value, got none (1 of 3 rows have none); ',
    ],
    [
      'gaps among words that are refused',
      ['a', '', 'b'],
      { refusesGaps: true },
      'line 3, column "x": expected a value, got none (1 of 3 rows have none); ',
    ],
    [
      'gaps among dates that are refused',
      ['2024-01-01', ''],
      { refusesGaps: true },
      'line 3, column "x": expected a value, got none (1 of 2 rows have none); ',
    ],
    [
      'no number that float32 holds, though gaps are refused',
      ['1', '1e39'],
      { imputation: 'refuse' },
      'line 3, column "x": expected a number that float32 holds, got "1e39"; ',
    ],
  ])('are told: %s', (_, cells, options, message) => {
    const problem = problemOf(cells, options);
    expect(problem.slice(0, message.length)).toBe(message);
    expect(problem).not.toContain('\n');
  });

  it.each<[string, readonly string[], Partial<InferenceOptions>, object]>([
    [
      'words among numbers',
      ['1', 'a', 'b'],
      { kind: 'numeric', imputation: 'median' },
      {
        notes: ['column "x": 2 cells that are no number, such as "a", are taken for missing'],
        summary: { missing: 2 },
        column: { othersMissing: true },
      },
    ],
    [
      'words among dates',
      ['2024-01-01', 'a', ''],
      { kind: 'date', imputation: 'median' },
      {
        notes: [
          expect.any(String) as string,
          'column "x": 1 cells that are no date, such as "a", are taken for missing',
        ],
        summary: { missing: 2 },
        column: { othersMissing: true },
      },
    ],
    [
      'numbers among dates',
      ['2024-01-01', '5.5'],
      { kind: 'date', imputation: 'median' },
      {
        notes: [
          expect.any(String) as string,
          'column "x": 1 cells that are no date, such as a number, are taken for missing',
        ],
      },
    ],
    [
      'a number beyond float32',
      ['1', '1e39'],
      { imputation: 'median' },
      { problems: [], column: { othersMissing: true } },
    ],
  ])('are missing where a value is said for them: %s', (_, cells, options, expected) => {
    expect(infer(cells, options)).toMatchObject({ problems: [], ...expected });
  });
});

describe('a label', () => {
  const label = (cells: readonly string[], options: Partial<LabelOptions> = {}) =>
    inferLabel(profileOf('y', cells, { isLabel: true, keepsNumbers: true }), { rows: cells.length, ...options });

  it.each<[string, readonly string[], Partial<LabelOptions>, string]>([
    ['four classes', words(8, 4), {}, 'classes, to predict: w0, w1, w2, w3'],
    ['five classes', words(10, 5), {}, 'classes, to predict: w0, w1, w2, w3, … (5)'],
    ['twenty whole numbers', list(20, String), {}, 'classes, to predict: 0, 1, 2, 3, … (20)'],
    ['more whole numbers', list(21, String), {}, 'number, to predict: 0 … 20'],
    ['fractions', ['0.5', '1.5'], {}, 'number, to predict: 0.5 … 1.5'],
    ['amounts', ['$0.50', '$1.50'], {}, 'number, to predict: 0.5 … 1.5 $'],
    ['nine numbers in ten cells', mixed(9, ['a']), { dropMissingLabels: true }, 'number, to predict: 0.5 … 8.5'],
    ['fewer numbers', mixed(8, ['a', 'a']), {}, 'classes, to predict: 0.5, 1.5, 2.5, 3.5, … (9)'],
    [
      'nine numbers in ten that are not gaps',
      mixed(9, ['a', '', 'None']),
      { dropMissingLabels: true },
      'number, to predict: 0.5 … 8.5',
    ],
    ['whole numbers and a word', ['1', '1', '2', '2', 'a', 'a'], {}, 'classes, to predict: 1, 2, a'],
  ])('of %s is described', (_, cells, options, expected) => {
    const { summary } = label(cells, options);
    expect(`${summary.kind}: ${summary.values}`).toBe(expected);
  });

  it.each<[string, readonly string[], Partial<LabelOptions>, object]>([
    [
      'a gap and a class that looks like one',
      ['a', 'None', '', 'b'],
      { dropMissingLabels: true },
      {
        dropped: 1,
        summary: { missing: 1, done: 'such rows left out' },
        notes: ['1 of 4 rows have no "y" and are left out'],
        column: { categories: ['None', 'a', 'b'] },
      },
    ],
    [
      'gaps of both kinds among numbers',
      ['1.5', '-', '', '2', 'a', ...list(30, (i) => `${i}.5`)],
      { dropMissingLabels: true },
      { dropped: 3, summary: { missing: 3 }, notes: ['3 of 35 rows have no "y" and are left out'] },
    ],
    ['no gaps', ['1.5', '2'], { dropMissingLabels: true }, { dropped: 0, notes: [], summary: { done: '' } }],
    [
      'formatted numbers',
      ['$1', '$2'],
      {},
      {
        dropped: 0,
        notes: ['column "y": formatted numbers ($) are read as numbers'],
        summary: { done: 'formatted numbers read as numbers' },
        column: { unit: '$' },
      },
    ],
    [
      'formatted numbers that are classes',
      ['$1', '$1', '$2'],
      { task: 'classification' },
      { notes: [], column: { categories: ['$1', '$2'] } },
    ],
  ])('with %s is taken', (_, cells, options, expected) => {
    expect(label(cells, options)).toMatchObject({ problems: [], ...expected });
  });

  const other = '--label names another column';
  it.each<[string, readonly string[], Partial<LabelOptions>, readonly string[]]>([
    [
      'gaps alone',
      ['', ''],
      {},
      [
        'line 2, column "y": expected a value to predict, got none (2 of 2 rows have none); --drop-missing-labels leaves them out',
      ],
    ],
    [
      'gaps alone that are left out',
      ['', ''],
      { dropMissingLabels: true },
      [`column "y": expected values to predict, got none; ${other}`],
    ],
    [
      'no numbers left',
      ['', 'a'],
      { task: 'regression', dropMissingLabels: true },
      ['column "y": expected numbers to predict, got none; --task classification predicts classes'],
    ],
    [
      'a gap and one class',
      ['a', ''],
      {},
      [
        'line 3, column "y": expected a value to predict, got none (1 of 2 rows have none); --drop-missing-labels leaves them out',
        `column "y": expected at least two classes, got only "a"; ${other}`,
      ],
    ],
    [
      'a date among numbers',
      [...list(20, (i) => `${i}.5`), '2024-01-01'],
      {},
      [
        'column "y": expected a number to predict, as in 20 of 21 rows, got a date; --drop-missing-labels leaves such rows out, --task classification takes all texts for classes',
      ],
    ],
    [
      'a gap behind a text that may be one',
      ['1.5', '-', '', ...list(20, (i) => `${i}.5`)],
      {},
      [
        'line 4, column "y": expected a value to predict, got none (2 of 23 rows have none); --drop-missing-labels leaves them out',
      ],
    ],
    [
      'a text that may be a gap',
      ['1.5', '-', ...list(20, (i) => `${i}.5`)],
      {},
      [
        'line 3, column "y": expected a value to predict, got none (1 of 22 rows have none); --drop-missing-labels leaves them out',
      ],
    ],
    [
      'twenty classes in twenty rows',
      words(20, 20),
      {},
      [`column "y": expected classes with several rows each, got another in each of 20 rows; ${other}`],
    ],
    ['nineteen classes in nineteen rows', words(19, 19), {}, []],
    [
      'more classes than there may be',
      words(MAX_CLASSES + 1, MAX_CLASSES + 1),
      {},
      [`column "y": expected at most ${MAX_CLASSES} classes, got more; ${other}, --task regression predicts numbers`],
    ],
    ['as many classes as there may be', words(2 * MAX_CLASSES, MAX_CLASSES), {}, []],
    [
      'a number beyond float32',
      ['1.5', '1e39'],
      {},
      [`line 3, column "y": expected a number that float32 holds, got "1e39"; ${other}`],
    ],
    ['one row of numbers', ['1.5'], {}, []],
    ['two equal numbers', ['1.5', '1.5'], {}, [`column "y": expected numbers that differ, got only 1.5; ${other}`]],
  ])('with %s has these problems', (_, cells, options, problems) => {
    expect(label(cells, options).problems).toEqual(problems);
  });
});
