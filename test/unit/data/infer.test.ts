/** A column's kind follows from all of its cells; where they disagree, the user decides and is told how. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRandom, type DataSource, loadData } from '../../../training/data/index.ts';
import { UserError } from '../../../training/files/errors.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'infer-'));
});
afterAll(() => rm(folder, { recursive: true }));

const ROWS = 240;
const random = createRandom(5);
const numbers = Array.from({ length: ROWS }, () => random.normal().toFixed(7));
const labels = numbers.map((number) => (Number(number) > 0 ? 'yes' : 'no'));

type Cells = Readonly<Record<string, readonly string[]>>;

/** Writes and reads a table of these columns beside numbers `a` and labels. */
async function load(cells: Cells, options: Partial<DataSource> = {}) {
  const columns: Cells = { a: numbers, label: labels, ...cells };
  const quoted = (text: string) => (text.includes(',') ? `"${text}"` : text);
  const line = (row: readonly string[]) => `${row.map(quoted).join(',')}\n`;
  const rows = numbers.map((_, i) => line(Object.values(columns).map((column) => column[i] ?? '')));
  const path = join(folder, 't.csv');
  await writeFile(path, line(Object.keys(columns)) + rows.join(''));
  return loadData(path, { seed: 1, label: 'label', ...options });
}

async function complaint(cells: Cells, options: Partial<DataSource> = {}): Promise<string> {
  const error: unknown = await load(cells, options).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UserError);
  return (error as UserError).message.replace(`${join(folder, 't.csv')}: `, '');
}

const column = <T>(make: (i: number) => T): T[] => Array.from({ length: ROWS }, (_, i) => make(i));
const day = (i: number): string => new Date(Date.UTC(2023, 0, 1 + 3 * i)).toISOString().slice(0, 10);
const withCells = (cells: readonly string[], changes: Readonly<Record<number, string>>) =>
  cells.map((cell, i) => changes[i] ?? cell);

describe('a column', () => {
  it.each<[string, string[], object, string | undefined]>([
    ['of plain numbers', numbers, { kind: 'numeric' }, undefined],
    [
      'of numbers in groups',
      column((i) => `${1 + (i % 9)},${100 + i}`),
      { kind: 'numeric' },
      'formatted numbers are read as numbers',
    ],
    [
      'of points that may part thousands',
      column((i) => (i % 2 === 0 ? `${1 + (i % 9)}.${100 + i}` : `${100 + i}`)),
      { kind: 'numeric' },
      'its points are read as decimal points (1.1 … 339), though each has three digits after it; if they separate thousands, --decimal , says so',
    ],
    ['of three decimals', column((i) => `${1 + (i % 9)}.${100 + i}`), { kind: 'numeric' }, undefined],
    [
      'of three decimals and a number of another kind',
      column((i) => (i === 7 ? '0.5' : i % 2 === 0 ? `${1 + (i % 9)}.${100 + i}` : `${100 + i}`)),
      { kind: 'numeric' },
      undefined,
    ],
    [
      'of dollars',
      column((i) => `$${i}.50`),
      { kind: 'numeric', unit: '$' },
      'formatted numbers ($) are read as numbers',
    ],
    [
      'of per cents',
      column((i) => `${i}.5 %`),
      { kind: 'numeric', unit: '%' },
      'formatted numbers (%) are read as numbers',
    ],
    [
      'of amounts in parentheses',
      column((i) => (i % 2 === 0 ? `(${i}.5)` : `${i}.5`)),
      { kind: 'numeric' },
      'formatted numbers are read as numbers',
    ],
    [
      'of typeset minus signs',
      column((i) => `−${i % 7}`),
      { kind: 'numeric' },
      'formatted numbers are read as numbers',
    ],
    [
      'of words',
      column((i) => ['red', 'blue'][i % 2] ?? ''),
      { kind: 'categorical', categories: ['blue', 'red'] },
      undefined,
    ],
    [
      'of truths',
      column((i) => (i % 3 === 0 ? 'TRUE' : 'FALSE')),
      { kind: 'categorical', categories: ['FALSE', 'TRUE'] },
      undefined,
    ],
    [
      'of days',
      column(day),
      { kind: 'date', parts: ['year', 'season', 'day of month', 'weekday'], order: 'YMD', years: [2023, 2024] },
      'holds dates: year, season, day of month, weekday',
    ],
    [
      'of days of one year',
      column((i) => day(i % 90)),
      { kind: 'date', parts: ['season', 'day of month', 'weekday'] },
      'holds dates: season, day of month, weekday',
    ],
    [
      'of days and hours',
      column((i) => `${day(i % 90)} ${i % 24}:30`),
      { kind: 'date', parts: ['season', 'day of month', 'weekday', 'hour'] },
      'holds dates: season, day of month, weekday, hour',
    ],
    [
      'of German days',
      column((i) => day(i).split('-').reverse().join('.')),
      { kind: 'date', order: 'DMY' },
      'holds dates',
    ],
    [
      'of American days',
      column((i) => day(i).replace(/(\d+)-(\d+)-(\d+)/, '$2/$3/$1')),
      { kind: 'date', order: 'MDY' },
      'holds dates',
    ],
    ['of times', column((i) => `${i % 24}:15`), { kind: 'date', parts: ['hour'] }, 'holds times: hour'],
  ])('%s', async (_, cells, expected, note) => {
    const { columns, notes = [] } = await load({ x: cells });
    expect(columns?.find(({ name }) => name === 'x')).toMatchObject(expected);
    if (note === undefined) expect(notes).toEqual([]);
    else expect(notes.join('\n')).toContain(`column "x"${note.startsWith('holds') ? ' ' : ': '}${note}`);
  });

  it.each<[string, string[], string]>([
    [
      'of identifiers',
      column((i) => `ID-${7919 * i}`),
      'column "x" has another text in nearly every row and is left out; --categorical x keeps it',
    ],
    [
      'of sentences',
      column((i) => `this is what customer ${i % 200} said`),
      'column "x" holds free text and is left out; --categorical x keeps it',
    ],
    ['without a value', column(() => 'NA'), 'column "x" holds no value and is left out'],
  ])('%s is left out, and said', async (_, cells, note) => {
    const { columns, notes, summary } = await load({ x: cells });
    expect(columns?.map(({ name }) => name)).toEqual(['a']);
    expect(notes).toEqual([note]);
    expect(summary).toMatchObject([{ name: 'a' }, { name: 'label' }, { name: 'x', kind: 'left out' }]);
  });

  it('of row numbers is left out, and kept when told', async () => {
    const cells = { id: column((i) => `${i + 1}`) };
    const { columns, notes } = await load(cells);
    expect(columns?.map(({ name }) => name)).toEqual(['a']);
    expect(notes).toEqual(['column "id" numbers the rows and is left out; --numeric id keeps it']);
    expect((await load(cells, { kinds: { id: 'numeric' } })).columns).toHaveLength(2);
    expect((await load({ year: cells.id })).columns).toHaveLength(2);
  });

  it('of codes that count, but repeat, is of categories, since it does not number the rows', async () => {
    const { columns } = await load({ store_id: column((i) => `${1 + Math.floor(i / 10)}`.padStart(3, '0')) });
    expect(columns?.find(({ name }) => name === 'store_id')?.kind).toBe('categorical');
  });

  it('of numbers with zeros before them is of categories, and said', async () => {
    const zip = column((i) => `${501 + (i % 40) * 2000}`.padStart(5, '0'));
    const read = async (options = {}, cells: readonly string[] = zip) => {
      const { columns, notes } = await load({ zip: cells }, options);
      return [columns?.find(({ name }) => name === 'zip'), notes] as const;
    };
    const [codes, said] = await read();
    expect(codes).toMatchObject({ kind: 'categorical', categories: { length: 40, 0: '00501', 39: '78501' } });
    expect(said).toEqual([
      'column "zip" is read as 40 categories, as its numbers have zeros before them (line 2: "00501"); --numeric zip reads numbers',
    ]);
    expect(await read({ kinds: { zip: 'numeric' } })).toMatchObject([{ kind: 'numeric' }, []]);
    const different = column((i) => `${i * 300}`.padStart(5, '0'));
    expect(await read({}, different)).toEqual([
      undefined,
      ['column "zip" has another text in nearly every row and is left out; --categorical zip keeps it'],
    ]);
  });

  it.each([
    ['two digits, as months have', (i: number) => `${1 + (i % 12)}`.padStart(2, '0')],
    ['another number of digits', (i: number) => (i === 7 ? '007' : `${1000 + (i % 40)}`)],
    ['a fraction', (i: number) => `0${i % 9}.5`],
    ['no zeros', (i: number) => `${100 + (i % 40)}`],
  ])('of numbers with %s is one of numbers', async (_, cell) => {
    const { columns, notes } = await load({ x: column(cell) });
    expect([columns?.[1]?.kind, notes]).toEqual(['numeric', []]);
  });

  it('of many rare categories is said', async () => {
    const { notes } = await load({ city: column((i) => `city ${i % 180}`) });
    expect(notes).toEqual([
      'column "city" has 180 categories, 180 of them in one or two rows only, of which little can be learnt; --ignore city leaves it out',
    ]);
  });

  it('that is numbers for the larger part is said when it is read as categories', async () => {
    const { columns, notes } = await load({ x: column((i) => (i % 4 === 0 ? 'none' : `${i % 10}`)) });
    expect(columns?.[1]).toMatchObject({ kind: 'categorical' });
    expect(notes?.[0]).toMatch(
      /^column "x" is read as \d+ categories, though 75\.00 % of it are numbers \(line 2: "none"\)/,
    );
  });

  it('of days whose order cannot be told is said', async () => {
    const { notes } = await load({ x: column((i) => `0${1 + (i % 9)}/0${1 + (i % 7)}/2024`) });
    expect(notes).toContain('column "x": day and month cannot be told apart; they are read as month, day');
  });

  it('has its line in the summary, with what is done about gaps', async () => {
    const { summary } = await load({
      n: withCells(numbers, { 3: '', 50: '#N/A' }),
      c: column((i) => (i % 5 === 0 ? '' : 'x')),
    });
    expect(summary).toEqual([
      { name: 'a', kind: 'number', values: expect.stringMatching(/^-\d.* … \d/) as string, missing: 0, done: '' },
      { name: 'label', kind: 'classes, to predict', values: 'no, yes', missing: 0, done: '' },
      {
        name: 'n',
        kind: 'number',
        values: expect.any(String) as string,
        missing: 2,
        done: expect.stringMatching(/^missing: median -?\d.*, and the model is told$/) as string,
      },
      { name: 'c', kind: 'category', values: 'x', missing: 48, done: 'missing: a category of its own' },
    ]);
  });
});

const ways = (name: string, kind = 'numeric') =>
  `--${kind} ${name} --missing ${name}=median takes it for missing, --categorical ${name} takes all as texts, --ignore ${name} leaves the column out`;

describe('a dirty cell', () => {
  const cells = { x: withCells(numbers, { 77: 'oops', 90: 'oops' }) };

  it('among numbers is refused with line, column, cell and the ways out', async () => {
    const message = `line 79, column "x": expected a number, as 238 of 240 cells are, got "oops"; ${ways('x')}`;
    expect(await complaint(cells)).toBe(message);
    expect(await complaint(cells, { kinds: { x: 'numeric' } })).toBe(message);
  });

  it('is what the user says', async () => {
    const { columns, notes, train } = await load(cells, { impute: { x: 'median' } });
    expect(columns?.[1]).toMatchObject({ kind: 'numeric', othersMissing: true, missing: 'median' });
    expect(notes).toEqual(['column "x": 2 cells that are no number, such as "oops", are taken for missing']);
    expect([...train.inputs].filter(Number.isNaN).length).toBeLessThanOrEqual(2);
    expect(await load(cells, { impute: { x: 'median' }, kinds: { x: 'numeric' } })).toMatchObject({ columns, notes });
    expect((await load(cells, { kinds: { x: 'categorical' } })).columns?.[1]).toMatchObject({ kind: 'categorical' });
    expect((await load(cells, { kinds: { x: 'ignored' } })).columns).toHaveLength(1);
  });

  it('among dates is refused as well', async () => {
    const message = await complaint({ x: withCells(column(day), { 9: 'soon' }) });
    expect(message).toBe(
      `line 11, column "x": expected a date, as 239 of 240 cells are, got "soon"; ${ways('x', 'date')}`,
    );
  });

  it('in several columns, and gaps in the label, are told at once', async () => {
    const message = await complaint({
      ...cells,
      y: withCells(column(day), { 9: 'soon' }),
      z: withCells(numbers, { 4: '-3.4028235e+38' }),
      label: withCells(labels, { 20: '', 30: 'NA' }),
    });
    expect(message.split('\n')).toEqual([
      '4 things to decide:',
      '  line 22, column "label": expected a value to predict, got none (2 of 240 rows have none); --drop-missing-labels leaves them out',
      `  line 79, column "x": expected a number, as 238 of 240 cells are, got "oops"; ${ways('x')}`,
      `  line 11, column "y": expected a date, as 239 of 240 cells are, got "soon"; ${ways('y', 'date')}`,
      '  line 6, column "z": expected a number that float32 holds, got "-3.4028235e+38"; --missing z=median takes it for missing, --ignore z leaves the column out',
    ]);
  });

  it('that is the largest number of all is missing when told so', async () => {
    const { columns, train } = await load(
      { z: withCells(numbers, { 4: '-3.4028235e+38' }) },
      { impute: { z: 'median' } },
    );
    expect(columns?.[1]).toMatchObject({ othersMissing: true });
    expect(Math.max(...[...train.inputs].filter((x) => !Number.isNaN(x)).map(Math.abs))).toBeLessThan(10);
  });
});

describe('the label', () => {
  it.each<[string, string[], object]>([
    ['of formatted numbers is a number', column((i) => `$${100 + i}.00`), { task: 'regression' }],
    ['of numbers in groups is a number', column((i) => `${1 + (i % 9)},${100 + i}`), { task: 'regression' }],
    ['of few formatted numbers is a number', column((i) => `$${i % 3}`), { task: 'regression' }],
    [
      'of few whole numbers is a class',
      column((i) => `${i % 3}`),
      { task: 'classification', classes: ['0', '1', '2'] },
    ],
    ['may have a class None', column((i) => ['None', 'Mild', '-'][i % 3] ?? ''), { classes: ['-', 'Mild', 'None'] }],
  ])('%s', async (_, label, expected) => {
    expect((await load({ label })).train).toMatchObject(expected);
  });

  it('may be missing where such rows are to be left out, which is said', async () => {
    const label = withCells(labels, { 0: '', 20: 'NA', 100: '?' });
    const { train, validation, test, notes } = await load({ label }, { dropMissingLabels: true });
    expect(train.count + validation.count + test.count).toBe(237);
    expect(notes).toEqual(['3 of 240 rows have no "label" and are left out']);
    expect([...(train.lines ?? [])]).not.toContain(22);
  });

  it('of numbers may have words where such rows are to be left out', async () => {
    const label = withCells(numbers, { 5: 'oops', 6: '-' });
    const { train, validation, test } = await load({ label }, { dropMissingLabels: true });
    expect(train.count + validation.count + test.count).toBe(238);
    expect(await complaint({ label })).toContain(
      'line 7, column "label": expected a number to predict, as in 239 of 240 rows, got "oops"',
    );
  });

  it.each<[string, string[], Partial<DataSource>, string]>([
    [
      'one class',
      column(() => 'same'),
      {},
      'column "label": expected at least two classes, got only "same"; --label names another column',
    ],
    [
      'another class in each row',
      column((i) => `n${i}`),
      {},
      'column "label": expected classes with several rows each, got another in each of 240 rows; --label names another column',
    ],
    [
      'one number',
      column(() => '5'),
      { task: 'regression' },
      'column "label": expected numbers that differ, got only 5; --label names another column',
    ],
    [
      'numbers that differ by less than float32 holds',
      column((i) => String(1e9 + i / 240)),
      { task: 'regression' },
      'column "label": expected numbers that float32 holds apart, got 1000000000 to 1000000000.9958333, which become the same; subtract what they have in common',
    ],
    [
      'no value at all',
      column(() => ''),
      { dropMissingLabels: true },
      'column "label": expected values to predict, got none; --label names another column',
    ],
  ])('of %s is refused', async (_, label, options, message) => {
    expect(await complaint({ label }, options)).toBe(message);
  });
});

describe('rows in several parts', () => {
  it('are said', async () => {
    const { notes } = await load({ a: column((i) => `${i % 6}`), label: column((i) => (i % 2 === 0 ? 'yes' : 'no')) });
    expect(notes).toEqual([
      '24 of the 24 validation rows and 24 of the 24 test rows also are among the training rows, as a whole: the scores are a little too good',
    ]);
  });

  it('are none where the target differs', async () => {
    expect((await load({ label: numbers.map((number) => `${2 * Number(number)}`) })).notes).toEqual([]);
  });
});
