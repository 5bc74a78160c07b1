/** The training page reads, divides and prepares a user's table like the command, to the bit. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parse } from 'csv-parse';
import { afterAll, describe, expect, it } from 'vitest';
import { type LoadedData, loadData } from '../../../training/data/index.ts';
import { objectiveFor } from '../../../training/objective/index.ts';
import { chooseNetwork } from '../../../training/run/choose-network.ts';
import { parse as parseInPage } from '../../../worker/page/train/engine/own/csv-parse.ts';
import { likelyLabel, namesOf, readOwn, sourceOf, subjectOf } from '../../../worker/page/train/engine/own/own-table.ts';

const folder = mkdtempSync(join(tmpdir(), 'bn-edge-own-table-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function written(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const fileAt = (path: string): File => new File([readFileSync(path)], basename(path));

const rows = (of: (i: number) => string, count = 60): string => Array.from({ length: count }, (_, i) => of(i)).join('');

/** A table with dates, categories, gaps, a decimal comma, quoted line ends, and another encoding. */
const mixed = `when;where;size;kind\n${rows(
  (i) =>
    `${1 + (i % 28)}.${1 + (i % 12)}.2024;${['Köln', '"a;b"', '"two\nlines"', ''][i % 4] ?? ''};${i % 7 === 0 ? 'NA' : `${i % 11},5`};${i % 3 === 0 ? 'ja' : 'nein'}\n`,
)}`;

const tables = [
  ['penguins', () => 'test/fixtures/penguins.csv', 'species'],
  ['another label', () => 'test/fixtures/penguins.csv', 'island'],
  ['dates, gaps, decimal commas and quoted lines', () => written('mixed.csv', mixed), 'kind'],
  [
    'UTF-16 between tabs',
    () =>
      written('wide.tsv', Buffer.from(`\uFEFFa\tb\ty\n${rows((i) => `${i % 5}\t${i / 8}\t${i % 2}\n`)}`, 'utf16le')),
    'y',
  ],
  [
    'cells between blanks',
    () => written('blanks.data', `a  b y\n${rows((i) => ` ${i / 3}   ${i % 4} c${i % 3}\n`)}`),
    'y',
  ],
] as const;

describe.each(tables)('%s', (_, pathOf, label) => {
  it.each([1, 7])('has the features, parts and units of the command with seed %d', async (seed) => {
    const path = pathOf();
    const subject = subjectOf(await readOwn(sourceOf(fileAt(path)), label), seed);
    const loaded: LoadedData = await loadData(path, { label, seed });
    expect(subject.train).toEqual(loaded.train);
    expect(subject.validation).toEqual(loaded.validation);
    expect(subject.columns).toEqual(loaded.columns);
    expect(subject.train.inputs.some((value) => value !== 0)).toBe(true);
    const { name, layers, ...known } = await chooseNetwork({}, { path, label }, loaded, objectiveFor(loaded.train));
    expect([name, layers.length > 0]).toEqual([basename(path).replace(/\.\w+$/, ''), true]);
    expect(subject.network).toEqual(known);
  });
});

const broken = [
  ['cells that lack', 'a,y\n1,x\n2\n'],
  ['a quote in a cell', 'a,y\n1,x\n2,"u"v\n'],
  ['a quote that is not closed', 'a,y\n1,"x\n2,v\n'],
  ['bytes of another encoding', Uint8Array.of(97, 44, 121, 10, 49, 44, 0xfc, 10)],
  ['no rows', 'a,y\n'],
  ['one class', `a,y\n${rows((i) => `${i},x\n`)}`],
  ['a gap in the label', `a,y\n${rows((i) => `${i / 2},${i === 7 ? '' : i % 2}\n`)}`],
  ['a column twice', 'a,a,y\n1,2,x\n'],
  ['words among numbers', `a,b,y\n${rows((i) => `${i === 9 ? 'tall' : i / 2},${i === 3 ? 'x' : i / 4},${i % 2}\n`)}`],
] as const;

it.each(broken)('refuses %s as the command does', async (_, content) => {
  const path = written('broken.csv', content);
  const ofCommand = await loadData(path, { label: 'y', seed: 1 }).catch((error: unknown) => error);
  expect(ofCommand).toBeInstanceOf(Error);
  const message = (ofCommand as Error).message.replace(path, 'broken.csv');
  await expect(readOwn(sourceOf(fileAt(path)), 'y')).rejects.toMatchObject({ name: 'UserError', message });
});

it('refuses what is too large or of another kind before it reads it', () => {
  expect(() => sourceOf(new File([new Uint8Array(10_000_001)], 'big.csv'))).toThrow(
    'big.csv: expected at most 10,000,000 bytes, got 10,000,001; bn-edge train reads larger ones',
  );
  expect(() => sourceOf(new File([''], 'book.xlsx'))).toThrow(
    'book.xlsx: expected a .csv, .tsv, .tab, .txt or .data file, got another kind of file',
  );
});

it('refuses numbers to predict', async () => {
  const source = sourceOf(new File([`a,y\n${rows((i) => `${i % 9},${i / 3}\n`)}`], 'n.csv'));
  await expect(readOwn(source, 'y')).rejects.toThrow('n.csv: column "y": expected classes');
});

it('refuses more inputs than the page trains with', async () => {
  const words = Array.from({ length: 2200 }, (_, i) => `w${i}`);
  const content = `a,y\n${words.flatMap((word) => [`${word},x\n`, `${word},z\n`, `${word},x\n`]).join('')}`;
  const own = await readOwn(sourceOf(new File([content], 'words.csv')), 'y');
  expect(() => subjectOf(own, 1)).toThrow(/^words\.csv: expected at most 2,048 inputs of the first layer, got 2,/);
});

it.each([
  ['a,b,c', 'c'],
  ['Species,b,c', 'Species'],
  ['a,target,c', 'target'],
  ['x,y,class', 'class'],
  ['x,Y,c', 'Y'],
])('takes of %s the column %s for the label', async (header, label) => {
  expect(likelyLabel(await namesOf(sourceOf(new File([`${header}\n1,2,3\n`], 't.csv'))))).toBe(label);
});

describe('the parser without streams', () => {
  type Parser = Pick<ReturnType<typeof parseInPage>, 'write' | 'end'>;

  /** Returns the rows, then the error, if there is one. */
  async function outcome(make: (options: object) => Parser, text: string): Promise<readonly unknown[]> {
    const seen: unknown[] = [];
    const parser = make({
      ...{ bom: true, trim: true, skip_empty_lines: true, relax_column_count: true, max_record_size: 1000 },
      on_record: (cells: unknown, { lines }: { readonly lines: number }) => {
        seen.push([lines, cells]);
        return null;
      },
    });
    const done = (start: (callback: (error?: Error | null) => void) => void): Promise<Error | null | undefined> =>
      new Promise((resolve) => {
        start(resolve);
      });
    const bytes = new TextEncoder().encode(text);
    const error =
      (await done((callback) => {
        parser.write(bytes.slice(0, 7), callback);
      })) ??
      (await done((callback) => {
        parser.write(bytes.slice(7), callback);
      })) ??
      (await done((callback) => {
        parser.end(callback);
      }));
    if (!error) return seen;
    const { code, lines, column } = error as unknown as Readonly<Record<string, unknown>>;
    return [...seen, { code, lines, column }];
  }

  const withStreams = (options: object): Parser => {
    const parser = parse(options);
    parser.on('error', () => undefined);
    return parser;
  };

  it.each([
    'a,b\n1,2\n',
    '\uFEFFa,b\r\n"1 ü","2\n\n""x"""\r\n\r\n 3 , 4 ',
    'a,b\n1,"2\n',
    'a,b\n1,2"3\n4,5\n',
    'a,b\n"1"2,3\n',
    `a,b\n1,"${'x'.repeat(1200)}`,
    '',
    'a\n\n\nb',
  ])('gives the rows and errors of the package: %j', async (text) => {
    const expected = await outcome(withStreams, text);
    expect(await outcome(parseInPage, text)).toEqual(expected);
  });
});
