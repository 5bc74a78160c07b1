import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCells, readTable, type TableFile, tableOf, type TableOptions } from '../../../training/data/index.ts';
import { checkWidth } from '../../../training/data/table-rows.ts';
import { UserError } from '../../../training/files/errors.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'table-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function write(content: string | Uint8Array, name = 't.csv'): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

async function read(content: string | Uint8Array, options: TableOptions, name?: string) {
  const { columns, dataset } = await readTable(await write(content, name), options);
  return { columns, dataset };
}

const FLOWERS = `width,colour,height,species
1.5,red,2,iris
2.5,blue,-3e1,rose
.5,red,+4.0,iris
`;

describe('a table', () => {
  it('has numbers as they stand, categories by index, and classes in an order of their own', async () => {
    expect(await read(FLOWERS, { label: 'species' })).toEqual({
      columns: [
        { kind: 'numeric', name: 'width', fill: null },
        { kind: 'categorical', name: 'colour', categories: ['blue', 'red'], fill: null },
        { kind: 'numeric', name: 'height', fill: null },
      ],
      dataset: {
        task: 'classification',
        inputs: Float32Array.of(1.5, 1, 2, 2.5, 0, -30, 0.5, 1, 4),
        inputShape: [3],
        count: 3,
        lines: Int32Array.of(2, 3, 4),
        labels: Int32Array.of(0, 1, 0),
        classes: ['iris', 'rose'],
      },
    });
  });

  it.each<[string, string, string, Partial<TableOptions>]>([
    ['tabs in a .tsv file', 't.tsv', FLOWERS.replaceAll(',', '\t'), {}],
    ['another delimiter', 't.csv', FLOWERS.replaceAll(',', ';'), { delimiter: ';' }],
    ['Windows line ends and a byte order mark', 't.csv', `\uFEFF${FLOWERS.replaceAll('\n', '\r\n')}`, {}],
    ['quoted cells', 't.csv', FLOWERS.replaceAll(/[^,\n]+/g, '"$&"'), {}],
    ['spaces around the cells and empty lines', 't.csv', FLOWERS.replaceAll(',', ' , ').replaceAll('\n', '\n\n'), {}],
    ['no line end at the end', 't.csv', FLOWERS.trimEnd(), {}],
  ])('reads the same from %s', async (_name, file, content, options) => {
    const expected = await read(FLOWERS, { label: 'species' });
    const { columns, dataset } = await read(content, { label: 'species', ...options }, file);
    expect({ columns, dataset: { ...dataset, lines: expected.dataset.lines } }).toEqual(expected);
  });

  it('keeps delimiters, quotes and line ends inside quotes', async () => {
    const { dataset } = await read('a,label\n1,"x, ""y""\nz"\n2,b\n', { label: 'label' });
    expect(dataset).toMatchObject({ classes: ['b', 'x, "y"\nz'] });
  });

  it('remembers the line of each row, and finds its cells again', async () => {
    const { dataset } = await read('a,label\n1,"x\ny"\n\n2,b\n', { label: 'label' });
    expect(dataset.lines).toEqual(Int32Array.of(3, 5));
    const cells = await readCells(join(folder, 't.csv'), {}, new Set([3]));
    expect([...(cells.get(3) ?? [])]).toEqual([
      ['a', '1'],
      ['label', 'x\ny'],
    ]);
  });

  it('may lack a header: its columns are then called by their positions', async () => {
    const { columns, dataset } = await read('1,2,x\n3,4,y\n', { label: '3', header: false });
    expect(columns.map(({ name }) => name)).toEqual(['1', '2']);
    expect(dataset.inputs).toEqual(Float32Array.of(1, 2, 3, 4));
  });

  it('may have a column without a name', async () => {
    const options = { label: 'y', kinds: new Map([['1', 'ignored' as const]]) };
    const { columns } = await read(',x,y\n0,1.5,a\n1,2.5,b\n', options);
    expect(columns.map(({ name }) => name)).toEqual(['x']);
  });

  it.each([
    ['words', 'b,a,b', undefined, { classes: ['a', 'b'], labels: Int32Array.of(1, 0, 1) }],
    ['few whole numbers', '10,9,10', undefined, { classes: ['9', '10'], labels: Int32Array.of(1, 0, 1) }],
    ['fractions', '0.5,1,2', undefined, { values: Float32Array.of(0.5, 1, 2) }],
    ['whole numbers said to be values', '10,9,10', 'regression', { values: Float32Array.of(10, 9, 10) }],
    [
      'fractions said to be classes',
      '2.5,1,2.5',
      'classification',
      { classes: ['1', '2.5'], labels: Int32Array.of(1, 0, 1) },
    ],
  ] as const)('whose label holds %s', async (_name, labels, task, expected) => {
    const rows = labels.split(',').map((label) => `1,${label}\n`);
    const { dataset } = await read(`x,y\n${rows.join('')}`, { label: 'y', task });
    expect(dataset).toMatchObject(expected);
  });

  it('takes many whole numbers in the label as values', async () => {
    const rows = Array.from({ length: 21 }, (_, i) => `1,${i}\n`);
    expect((await read(`x,y\n${rows.join('')}`, { label: 'y' })).dataset.task).toBe('regression');
    const fewer = [...rows.slice(1), '1,5\n'].join('');
    expect((await read(`x,y\n${fewer}`, { label: 'y' })).dataset.task).toBe('classification');
  });

  it('takes numbers as categories when told to', async () => {
    const { columns } = await read('code,y\n10,a\n9,b\n', { label: 'y', kinds: new Map([['code', 'categorical']]) });
    expect(columns).toEqual([{ kind: 'categorical', name: 'code', categories: ['9', '10'], fill: null }]);
  });

  it('takes numbers before the first word of a column as categories', async () => {
    const { columns, dataset } = await read('code,y\n10,1.5\n9,2\nnone,3\n10,4\n', { label: 'y' });
    expect(columns).toEqual([{ kind: 'categorical', name: 'code', categories: ['10', '9', 'none'], fill: null }]);
    expect(dataset.inputs).toEqual(Float32Array.of(0, 1, 2, 0));
  });

  it.each(['', '?', 'NA', 'N/A', 'NaN', 'nan', 'null', 'NULL', '#N/A', '<NA>', 'None', 'n/a', '-', '.', 'inf'])(
    'takes %o as missing',
    async (nothing) => {
      const content = `x,c,y\n${nothing},red,a\n2,${nothing},b\n3,red,b\n`;
      const { columns, dataset } = await read(content, { label: 'y' });
      expect(columns).toMatchObject([{ kind: 'numeric' }, { categories: ['red'] }]);
      expect(dataset.inputs).toEqual(Float32Array.of(NaN, 0, 2, NaN, 3, 0));
    },
  );

  it('gives any float32 back exactly', async () => {
    const largest = Math.fround(3.3e38);
    const floats = fc.float({ noNaN: true, min: -largest, max: largest });
    await fc.assert(
      fc.asyncProperty(fc.array(floats, { minLength: 1, maxLength: 9 }), async (values) => {
        const { dataset } = await read(`y,x\n${values.map((value) => `a,${value}\n`).join('')}b,0\n`, { label: 'y' });
        expect([...dataset.inputs]).toEqual([...values.map((value) => value + 0), 0]);
      }),
      { numRuns: 30 },
    );
  });

  const impute = (name: string, how: string) => ({ imputations: { own: new Map([[name, how]]) } });
  const ways =
    '--numeric x --missing x=median takes it for missing, --categorical x takes all as texts, --ignore x leaves the column out';
  const many = Array.from({ length: 1001 }, (_, i) => `${i}.5`);
  const withMany = (typo: string) =>
    `x,y\n${[...many.slice(0, 700), typo, ...many.slice(700)].map((x, i) => `${x},${i % 2 === 0 ? 'a' : 'b'}\n`).join('')}`;
  const kinds = (kind: 'numeric' | 'categorical' | 'ignored') => ({ kinds: new Map([['x', kind]]) });
  it.each<[string, string | Uint8Array, Partial<TableOptions>, string]>([
    ['nothing', '', {}, 'expected a column "y", got an empty file; --label names one of them'],
    ['a header only', 'x,y\n', {}, 'expected rows of data, got none'],
    ['no such label', 'a,b\n1,2\n', {}, 'expected a column "y", got "a", "b"; --label names one of them'],
    [
      'no such column to ignore',
      'a,y\n1,2\n',
      kinds('ignored'),
      'expected a column "x", got "a", "y"; --ignore names one of them',
    ],
    [
      'no such column to impute',
      'a,y\n1,2\n',
      impute('x', 'mean'),
      'expected a column "x", got "a", "y"; --missing names one of them',
    ],
    [
      'a label to impute',
      'a,y\n1,2\n',
      impute('y', 'mean'),
      'expected --missing for columns besides the label, got "y"; --drop-missing-labels leaves out rows without one',
    ],
    ['nothing but the label', 'y\n1\n2\n', {}, 'expected a column besides the label, got none'],
    [
      'two columns of one name',
      'x,y,x\n1,2,3\n',
      {},
      'expected different column names, got "x" twice; --no-header reads without names',
    ],
    [
      'a cell too few',
      'x,y\n1,a\n2\n',
      {},
      'line 3: expected 2 cells, got 1; --delimiter, --skip-rows and --comment say how it is to be read',
    ],
    [
      'a cell too many',
      'x,y\n1,a\n2,b,c\n',
      {},
      'line 3: expected 2 cells, got 3; --delimiter, --skip-rows and --comment say how it is to be read',
    ],
    [
      'a missing number',
      'x,y\n1,a\n,b\n',
      impute('x', 'refuse'),
      'line 3, column "x": expected a value, got none (1 of 2 rows have none); leave out --missing refuse, or say --missing x=HOW or --ignore x',
    ],
    [
      'a missing label',
      'x,y\n1,a\n2,?\n3,b\n',
      {},
      'line 3, column "y": expected a value to predict, got none (1 of 3 rows have none); --drop-missing-labels leaves them out',
    ],
    [
      'a word in a numeric column',
      'x,y\n1,a\n2o,b\n',
      kinds('numeric'),
      `line 3, column "x": expected a number, as 1 of 2 cells are, got "2o"; ${ways}`,
    ],
    [
      'a hexadecimal number',
      'x,y\n1,a\n0x10,b\n',
      kinds('numeric'),
      `line 3, column "x": expected a number, as 1 of 2 cells are, got "0x10"; ${ways}`,
    ],
    [
      'a number beyond float32',
      'x,y\n1,a\n\n1e39,b\n',
      {},
      'line 4, column "x": expected a number that float32 holds, got "1e39"; --missing x=median takes it for missing, --ignore x leaves the column out',
    ],
    [
      'a slip among many numbers',
      withMany('3·5'),
      {},
      `line 702, column "x": expected a number, as 1,001 of 1,002 cells are, got "3·5"; ${ways}`,
    ],
    [
      'too many numbers to be categories',
      `x,y\n${Array.from({ length: 10_001 }, (_, i) => `${i},${i % 2 === 0 ? 'a' : 'b'}\n`).join('')}`,
      kinds('categorical'),
      'column "x": expected numbers, or at most 10000 different texts, got more numbers; --ignore x leaves the column out',
    ],
    [
      'a word to predict',
      'x,y\n1,2\n1,two\n1,3\n',
      { task: 'regression' },
      'line 3, column "y": expected a number to predict, as in 2 of 3 rows, got "two"; --drop-missing-labels leaves such rows out, --task classification takes all texts for classes',
    ],
    [
      'a quote that is never closed',
      'x,y\n1,"a\n2,b\n',
      {},
      'line 3, column 2: expected a closing quote, got the end of the file; --quote none takes quotes as they are',
    ],
    [
      'a quote never closed in a large file',
      `x,y\n1,"${'a'.repeat(1_100_000)}`,
      {},
      'line 2, column 2: expected a closing quote, got 1000000 bytes without; --quote none takes quotes as they are',
    ],
    [
      'a quote inside a cell',
      'x,y\n1,a"b\n',
      {},
      'line 2, column 2: expected quotes around a whole cell (and doubled inside it), got a quote elsewhere; --quote none takes quotes as they are',
    ],
    [
      'text after a quoted cell',
      'x,y\n1,"a"b\n',
      {},
      'line 2, column 2: expected quotes around a whole cell (and doubled inside it), got a quote elsewhere; --quote none takes quotes as they are',
    ],
    [
      'Latin-1 text',
      Buffer.from('x,y\n1,caf\u00e9\n', 'latin1'),
      {},
      'line 2, column 2: expected text in UTF-8, got other bytes; --encoding latin1 or cp1252 reads them',
    ],
    [
      'Latin-1 text in the first column, behind lines that are skipped',
      Buffer.from('a report\n\nx,y\n1,b\ncaf\u00e9,c\n', 'latin1'),
      { skipRows: 2 },
      'line 5, column 1: expected text in UTF-8, got other bytes; --encoding latin1 or cp1252 reads them',
    ],
    [
      'a short row behind lines that are skipped',
      'a report\n\nx,y\n1,b\n2\n',
      { skipRows: 2 },
      'line 5: expected 2 cells, got 1; --delimiter, --skip-rows and --comment say how it is to be read',
    ],
  ])('is refused with %s', async (_name, content, options, message) => {
    const complaint = new UserError(`${join(folder, 't.csv')}: ${message}`);
    await expect(read(content, { label: 'y', ...options })).rejects.toThrow(complaint);
  });

  it('is refused in one line when the file is missing', async () => {
    await expect(readTable('/nowhere.csv', { label: 'y' })).rejects.toThrow(
      new UserError('/nowhere.csv: cannot read: no such file or directory'),
    );
  });
});

describe('a table that is read again', () => {
  const names = ['x', 'c', 'y'];
  type Cells = readonly (readonly string[])[];
  const first: Cells = [
    ['1', 'red', '0.5'],
    ['2', 'blue', '1.5'],
    ['3', 'red', ''],
  ];
  /** Returns a table that holds other rows from the second reading on. */
  function changing(then: Cells): TableFile {
    const readings = [first, then];
    return {
      names,
      decimal: '.',
      notes: [],
      progress: () => 1,
      async *rows() {
        const cells = readings.length > 1 ? readings.shift() : readings[0];
        yield await Promise.resolve((cells ?? []).map((row, i) => ({ line: i + 2, cells: row })));
      },
    };
  }
  const open = (then: Cells) => tableOf('t', changing(then), { label: 'y', dropMissingLabels: true });

  it('gives its rows with a label', async () => {
    const { dataset } = await open(first);
    expect(dataset).toMatchObject({
      inputs: Float32Array.of(1, 1, 2, 0),
      values: Float32Array.of(0.5, 1.5),
      lines: Int32Array.of(2, 3),
      count: 2,
    });
  });

  it.each<[string, Cells]>([
    ['a row more', [...first, ['4', 'red', '2.5']]],
    ['a row more without a label', [...first, ['4', 'red', '']]],
    ['a row less', first.slice(1)],
    ['a row less without a label', first.slice(0, 2)],
    ['no rows', []],
    ['a word for a number', first.with(0, ['one', 'red', '0.5'])],
    ['another category', first.with(0, ['1', 'green', '0.5'])],
    ['a label where there was none', first.with(2, ['3', 'red', '2.5'])],
    ['no label where there was one', first.with(0, ['1', 'red', ''])],
  ])('is refused where it then has %s', async (_, then) => {
    await expect(open(then)).rejects.toThrow(
      new UserError('t: expected the same rows on the second reading, got others: the file has changed'),
    );
  });
});

describe('many', () => {
  const rows = (cells: readonly string[]) => `${cells.join(',')}\n`;
  const list = (count: number, cell: (i: number) => string) => Array.from({ length: count }, (_, i) => cell(i));
  const noted = async (count: number) => {
    const line = (amount: string) => rows([...list(count, () => amount), amount.length === 3 ? 'a' : 'b']);
    const content = rows([...list(count, (i) => `c${i}`), 'y']) + line('$10') + line('$2');
    return (await readTable(await write(content), { label: 'y' })).notes;
  };
  it('notes are cut after thirty', async () => {
    expect(await noted(30)).toHaveLength(30);
    const notes = await noted(32);
    expect(notes).toHaveLength(31);
    expect(notes.at(-1)).toBe('and 2 notes more');
  });

  const refused = async (columns: number) => {
    const content = rows([...list(columns, (i) => `c${i}`), 'y']) + rows([...list(columns, () => '1e39'), 'a']);
    const options = { label: 'y', kinds: new Map(list(columns, (i) => `c${i}`).map((name) => [name, 'numeric'])) };
    const error: unknown = await read(content, options as TableOptions).catch((thrown: unknown) => thrown);
    return (error as Error).message.split('\n');
  };
  it('problems are cut after thirty, the label counted', async () => {
    const [thirty, more] = [await refused(29), await refused(31)];
    expect(thirty).toHaveLength(31);
    expect([more.length, more[0], more.at(-1)]).toEqual([
      32,
      `${join(folder, 't.csv')}: 32 things to decide:`,
      '  and 2 more',
    ]);
  });

  it('columns are listed up to ten, and reasons up to five', async () => {
    const wanted = (names: number) => read(rows(list(names, (i) => `c${i}`)), { label: 'y' });
    const all = list(10, (i) => `"c${i}"`).join(', ');
    await expect(wanted(10)).rejects.toThrow(`expected a column "y", got ${all}; --label`);
    await expect(wanted(11)).rejects.toThrow(`expected a column "y", got ${all}, …; --label`);
    const content =
      rows([...list(6, (i) => `c${i}`), 'y']) + rows([...list(6, () => ''), 'a']) + rows([...list(6, () => ''), 'b']);
    const reasons = list(5, (i) => `"c${i}" (holds no value)`).join(', ');
    await expect(read(content, { label: 'y' })).rejects.toThrow(
      `expected a column besides the label, got only ${reasons}; --categorical or --numeric keep a column`,
    );
  });

  it('columns are up to a hundred thousand', () => {
    const file = (count: number): TableFile => ({
      names: list(count, String),
      decimal: '.',
      notes: [],
      rows: () => (async function* () {})(),
      progress: () => 0,
    });
    expect(checkWidth('t', file(100_000)).names).toHaveLength(100_000);
    expect(() => checkWidth('t', file(100_001))).toThrow(
      new UserError('t: expected at most 100000 columns, got 100001'),
    );
  });
});

describe('cells of some lines', () => {
  it('are found as they stand, and no others', async () => {
    const path = await write('x,y\n 1 ,a\n2,b\n3,c\n');
    const cells = await readCells(path, {}, new Set([2, 4]));
    expect([...cells].map(([line, row]) => [line, Object.fromEntries(row)])).toEqual([
      [2, { x: '1', y: 'a' }],
      [4, { x: '3', y: 'c' }],
    ]);
  });
});
