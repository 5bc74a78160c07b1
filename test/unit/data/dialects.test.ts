/** Tables written in different dialects give the same data set, and the notes say what was found. */
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Dialect, sniff } from '../../../training/data/csv-dialect.ts';
import { type DataSource, loadData } from '../../../training/data/index.ts';
import { fileSource } from '../../../training/data/text-file.ts';
import { UserError } from '../../../training/files/errors.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dialects-'));
});
afterAll(() => rm(folder, { recursive: true }));

const header = ['size', 'colour', 'price', 'kind'];
const rows = Array.from({ length: 40 }, (_, i) => [
  (i - 20) / 8,
  ['red', 'green', 'blue'][i % 3] ?? '',
  1000 * (i % 7) + 0.5,
  i % 2 === 0 ? 'heron' : 'stork',
]);

const table = (delimiter: string, write: (value: string | number) => string = String) =>
  [header, ...rows].map((row) => `${row.map(write).join(delimiter)}\n`).join('');
const comma = (value: string | number) => String(value).replace('.', ',');
const quoted = (quote: string) => (value: string | number) => `${quote}${value}${quote}`;
const aligned = [header, ...rows].map((row) => `  ${row.map((value) => String(value).padEnd(9)).join(' ')}\n`).join('');
const jsonLines = rows.map((row) => `${JSON.stringify(Object.fromEntries(header.map((name, i) => [name, row[i]])))}\n`);

async function load(name: string, content: string | Uint8Array, options: Partial<DataSource> = {}) {
  const path = join(folder, name);
  await writeFile(path, content);
  return loadData(path, { seed: 1, label: 'kind', ...options });
}

describe('a table is read alike', () => {
  it.each<[string, string, string | Uint8Array, Partial<DataSource>, string[]]>([
    ['with semicolons', 't.csv', table(';'), {}, ['read with cells between ";"']],
    ['with tabs in a .csv', 't.csv', table('\t'), {}, ['read with cells between tabs']],
    ['with tabs in a .tsv', 't.tsv', table('\t'), {}, []],
    ['with bars', 't.txt', table('|'), {}, ['read with cells between "|"']],
    ['with blanks', 't.data', aligned, {}, ['read with cells between blanks']],
    ['with a delimiter that is said', 't.csv', table('~'), { delimiter: '~' }, []],
    ['with a decimal comma', 't.csv', table(';', comma), {}, ['read with cells between ";", a decimal comma']],
    [
      'with a decimal comma in quotes',
      't.csv',
      table(',', (value) => quoted('"')(comma(value))),
      {},
      ['read with a decimal comma'],
    ],
    [
      'with a decimal comma that is said',
      't.csv',
      table(';', comma),
      { decimal: ',' },
      ['read with cells between ";"'],
    ],
    [
      "with Excel's first line",
      't.csv',
      `sep=;\r\n${table(';').replaceAll('\n', '\r\n')}`,
      {},
      ['read with cells between ";"'],
    ],
    ['with apostrophes', 't.csv', table(',', quoted("'")), {}, ['read with cells in apostrophes']],
    ['with a quote that is said', 't.csv', table(',', quoted('~')), { quote: '~' }, []],
    ['with a byte order mark', 't.csv', `\uFEFF${table(',')}`, {}, []],
    ['in UTF-16', 't.csv', Buffer.from(`\uFEFF${table(',')}`, 'utf16le'), {}, ['read with text in UTF-16LE']],
    [
      'in UTF-16 of the other order',
      't.csv',
      Buffer.from(`\uFEFF${table('\t')}`, 'utf16le').swap16(),
      {},
      ['read with text in UTF-16BE, cells between tabs'],
    ],
    ['in gzip', 't.csv.gz', gzipSync(table(',')), {}, []],
    ['with comments', 't.csv', `# a table\n${table(',').replace('\n', '\n# of birds\n')}`, { comment: '#' }, []],
    [
      'behind other lines',
      't.csv',
      `A report,"of 2024"\n\n${table(';')}`,
      { skipRows: 2 },
      ['read with cells between ";"'],
    ],
    [
      'with blanks around cells and a decimal comma',
      't.csv',
      table(';', (value) => ` ${comma(value)} `),
      {},
      ['read with cells between ";", a decimal comma'],
    ],
    [
      "with a delimiter that only Excel's first line says",
      't.csv',
      `sep=~\n${table('~')}`,
      {},
      ['read with cells between "~"'],
    ],
    ['behind a line that is longer than a chunk', 't.csv', `${'x'.repeat(9000)}\n${table(',')}`, { skipRows: 1 }, []],
    ['behind an empty line', 't.csv', `\n${table(',')}`, { skipRows: 1 }, []],
    [
      'behind an empty line, in UTF-16',
      't.csv',
      Buffer.from(`\uFEFF\n${table(',')}`, 'utf16le'),
      { skipRows: 1 },
      ['read with text in UTF-16LE'],
    ],
    [
      "behind a line, and Excel's",
      't.csv',
      `a report\nsep=;\n${table(';')}`,
      { skipRows: 1 },
      ['read with cells between ";"'],
    ],
    [
      'behind a line, in UTF-16',
      't.csv',
      Buffer.from(`\uFEFFa report\n${table(',')}`, 'utf16le'),
      { skipRows: 1 },
      ['read with text in UTF-16LE'],
    ],
    ['with an encoding that is said', 't.csv', table(','), { encoding: 'latin1' }, []],
    ['as JSON lines', 't.jsonl', jsonLines.join(''), {}, []],
    [
      'as JSON lines in another order, with an empty line',
      't.ndjson',
      jsonLines.map((line) => `${line}\n`).join(''),
      {},
      [],
    ],
  ])('%s', async (_, name, content, options, notes) => {
    const plain = await load('plain.csv', table(','));
    const { lines: _lines, ...train } = plain.train;
    const read = await load(name, content, options);
    expect(read.columns).toEqual(plain.columns);
    const { lines: _others, ...again } = read.train;
    expect(again).toEqual(train);
    expect(read.notes).toEqual(notes);
  });

  it('in an encoding that is said', async () => {
    const content = Buffer.from(
      'größe,preis,art\n1,2 €,a\n2,3 €,b\n3,4 €,a\n4,5 €,b\n'.replaceAll('€', '\x80'),
      'latin1',
    );
    for (const encoding of ['latin1', 'cp1252'] as const) {
      const { columns } = await load('t.csv', content, { label: 'art', encoding });
      expect(columns).toMatchObject([
        { kind: 'numeric', name: 'größe', fill: null },
        { kind: 'numeric', name: 'preis', fill: null, unit: '€' },
      ]);
    }
  });

  it('with quotes as signs like any other', async () => {
    const { columns } = await load('t.csv', 'size,kind\n5" pipe,a\n6" pipe,b\n5" pipe,a\n5" pipe,b\n', {
      quote: 'none',
    });
    expect(columns).toMatchObject([{ categories: ['5" pipe', '6" pipe'] }]);
  });

  it('with the sign of comments within cells', async () => {
    const { columns } = await load('t.csv', 'size,kind\n5 #1,a\n# none\n6 #2,b\n5 #1,a\n5 #1,b\n', { comment: '#' });
    expect(columns).toMatchObject([{ categories: ['5 #1', '6 #2'] }]);
  });

  it('with blanks between cells, over the bounds of chunks', async () => {
    const texts = Array.from({ length: 2000 }, (_, i) => '€'.repeat(1 + (i % 7)));
    const lines = texts.map((text, i) => `${i}.5   ${text} ${i % 2 === 0 ? 'a' : 'b'}\n`);
    const { columns } = await load('t.data', `size  sign kind\n${lines.join('')}`);
    expect(columns?.[1]).toMatchObject({ categories: texts.slice(0, 7) });
  });

  it('with blanks between cells, and within quotes that a backslash escapes', async () => {
    const { columns } = await load('t.data', 'name kind\n"a \\"b c\\" d" a\n"e f" b\n"e f" a\n"e f" b\n');
    expect(columns?.[0]).toMatchObject({ categories: ['a "b c" d', 'e f'] });
  });

  it('with blanks between cells, and within those in quotes', async () => {
    const { columns } = await load('t.data', 'size kind\n"5  a" a\n"6 b"  b\n"5  a" b\n"5  a" a\n');
    expect(columns).toMatchObject([{ categories: ['5  a', '6 b'] }]);
  });

  it('with backslashes before quotes in cells', async () => {
    const { columns } = await load('t.csv', 'name,kind\n"a \\"b\\"",a\n"c",b\n"c",a\n"c",b\n');
    expect(columns).toMatchObject([{ categories: ['a "b"', 'c'] }]);
  });

  it.each([
    ['some names are no numbers', 'a,2\n3,4\n5,5\n7,4\n8,5\n'],
    ['a name has a number in it', 'x1,2\n3,4\n5,5\n7,4\n8,5\n'],
  ])('with nothing to say where %s', async (_, content) => {
    const { notes = [] } = await load('t.csv', content, { label: '2' });
    expect(notes.join()).not.toContain('--no-header');
  });

  it('but for a first row of numbers, which is said to be taken for names', async () => {
    const { notes } = await load('t.csv', '1,2\n3,4\n5,5\n7,4\n8,5\n', { label: '2' });
    expect(notes).toContain(
      'the first row holds numbers only, and is taken for the names of the columns: --no-header takes it as data',
    );
  });
});

/** PyArrow 26 wrote this file, in two row groups, with a type of its own for each column. */
describe('a Parquet file', () => {
  it.each(['birds.parquet', 'birds-gzip.parquet'])('is read as what it holds: %s', async (name) => {
    const { columns, train, validation, test } = await loadData(join('test/fixtures', name), {
      seed: 1,
      label: 'kind',
    });
    expect(columns).toMatchObject([
      { kind: 'numeric', name: 'size', fill: 0, missing: 'median', indicator: true },
      { kind: 'categorical', name: 'colour', categories: ['blue', 'green', 'red'], fill: null },
      { kind: 'numeric', name: 'big', fill: null },
      {
        kind: 'date',
        name: 'day',
        parts: ['year', 'season', 'day of month', 'weekday'],
        order: 'YMD',
        years: [2023, 2025],
        fill: null,
      },
      { kind: 'categorical', name: 'active', categories: ['false', 'true'], fill: null },
    ]);
    const rows = [train, validation, test].flatMap(({ lines = [], inputs }) =>
      [...lines].map((line, i) => [line, ...inputs.subarray(11 * i, 11 * i + 4)] as const),
    );
    expect(rows.map(([line]) => line).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
    // Row 30 is in the second group: (29 − 20)/8, blue, 1000·(29 mod 7).
    expect(rows.find(([line]) => line === 30)?.slice(0, 4)).toEqual([30, 1.125, 0, 1000]);
  });
});

it.skipIf(!existsSync('/proc/self/fd'))('a gzip file is closed where only its beginning is read', async () => {
  const path = join(folder, 'long.csv.gz');
  await writeFile(
    path,
    gzipSync(
      randomBytes(300_000)
        .toString('hex')
        .replaceAll(/(.{40})/g, '$1\n'),
    ),
  );
  const isOpen = (file: string): boolean => existsSync(file) && readlinkSync(file) === path;
  const open = () => readdirSync('/proc/self/fd').filter((name) => isOpen(`/proc/self/fd/${name}`));
  for await (const _ of fileSource(path).chunks()) break;
  await vi.waitFor(() => {
    expect(open()).toEqual([]);
  });
});

describe('a file that is no table', () => {
  it.each<[string, string, string | Uint8Array, string]>([
    ['broken gzip', 'b.csv.gz', gzipSync(table(',')).subarray(0, 60), ': expected a whole gzip file, got a broken one'],
    ['no JSON', 'b.jsonl', '{"a":1}\n[1]\n', ': line 2: expected a JSON object, got "[1]"'],
    [
      'no Parquet',
      'b.parquet',
      'PAR1 nothing',
      ': expected a Parquet file (plain, Snappy, gzip or Brotli), got one that cannot be read: ',
    ],
  ])('is refused: %s', async (_, name, content, message) => {
    const error: unknown = await load(name, content).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).message).toContain(join(folder, name) + message);
    expect((error as UserError).message).not.toContain('\n');
  });
});

describe('the dialect of a beginning', () => {
  const uneven = (rows: number) => ['a b', ...Array<string>(rows - 2).fill('1 2'), '1 2 3', ''].join('\n');
  it.each<[string, string, Partial<Dialect>]>([
    ['the delimiter of all lines, and not the one of most in the first', 'a;b;c,kind\n1,2\n3,4\n', { delimiter: ',' }],
    ['the delimiter of more cells', 'a;b,c,kind\n1;2,3,4\n', { delimiter: ',' }],
    ['the delimiter of more cells, whichever is tried first', 'a;b;c,kind\n1;2;3,4\n', { delimiter: ';' }],
    ['the first of two of as many cells', 'a;b,kind\n1;2,3\n', { delimiter: ';' }],
    ['blanks where nine lines of ten have as many cells', uneven(10), { delimiter: ' ' }],
    ['no blanks where eight of nine have', uneven(9), { delimiter: '~' }],
    ['the point where commas separate cells', 'a,b\n"1,031","2,942"\n', { delimiter: ',', decimal: '.' }],
    ['the comma where semicolons do', 'a;b\n1,031;2,942\n', { delimiter: ';', decimal: ',' }],
  ])('has %s', (_, text, expected) => {
    expect(sniff(text, {}, '~')).toMatchObject(expected);
  });
});
