/** Members of JSON objects become the texts that a table in text would hold. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openJsonLines, textOfValue } from '../../../training/data/json-lines.ts';
import type { TableRow } from '../../../training/data/table-rows.ts';

it.each<[string, unknown, string]>([
  ['null', null, ''],
  ['nothing', undefined, ''],
  ['a text', 'red', 'red'],
  ['a text with white space around it', '  red\n', 'red'],
  ['a text with white space within', 'dark  red', 'dark  red'],
  ['a number', 1.5, '1.5'],
  ['a boolean', false, 'false'],
  ['a large whole number', 2n ** 64n, '18446744073709551616'],
  ['a day', new Date('2024-05-17'), '2024-05-17'],
  ['a time', new Date('2024-05-17T13:15:00Z'), '2024-05-17T13:15:00.000Z'],
  ['no time at all', new Date(NaN), ''],
  ['a list', [1, 'a'], '[1,"a"]'],
  ['an object', { a: 1 }, '{"a":1}'],
  ['an object with a large whole number', { a: 2n ** 64n }, '{"a":"18446744073709551616"}'],
])('%s', (_, value, text) => {
  expect(textOfValue(value)).toBe(text);
});

it.each<[string, string, number]>([
  ['within a text', '{"a":"red"}\n{"a":"caf\xe9"}\n', 2],
  ['at the end of the file', '{"a":"red"}\n{"a":"blue"}\xc3', 2],
])('bytes that are not UTF-8 are refused, %s', async (_, content, line) => {
  const folder = await mkdtemp(join(tmpdir(), 'json-lines-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 't.jsonl');
  await writeFile(path, content, 'latin1');
  await expect(openJsonLines(path)).rejects.toThrow(`${path}: line ${line}: expected text in UTF-8, got other bytes`);
});

describe('a file of JSON lines', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'json-lines-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  async function read(content: string) {
    const path = join(folder, 't.jsonl');
    await writeFile(path, content);
    const { names, rows, progress } = await openJsonLines(path);
    const all: TableRow[] = [];
    const shares: number[] = [];
    for await (const some of rows()) {
      all.push(...some);
      shares.push(progress());
    }
    return { names, all, shares };
  }

  it('is read over the bounds of chunks, whatever characters lie there', async () => {
    const texts = Array.from({ length: 700 }, (_, i) => `größe ${'€'.repeat(i % 7)} 🐦`);
    const { all, shares } = await read(texts.map((text) => `${JSON.stringify({ text })}\n`).join(''));
    expect(all.map(({ cells }) => cells[0])).toEqual(texts);
    expect(all.map(({ line }) => line)).toEqual(texts.map((_, i) => i + 1));
    expect([shares[0] ?? 1, shares.at(-1)]).toEqual([expect.closeTo(0, 0), 1]);
    expect(shares).toEqual(shares.toSorted((a, b) => a - b));
  });

  it('has the columns of all lines, empty lines, and a last line without an end', async () => {
    const { names, all } = await read('{"a":1}\n\n{"b":"x","a":null}\n{"constructor":2}');
    expect(names).toEqual(['a', 'b', 'constructor']);
    expect(all).toEqual([
      { line: 1, cells: ['1', '', ''] },
      { line: 3, cells: ['', 'x', ''] },
      { line: 4, cells: ['', '', '2'] },
    ]);
  });

  it.each<[string, string, string]>([
    ['a list', '{"a":1}\n[1]\n', 'line 2: expected a JSON object, got "[1]"'],
    ['nothing but null', 'null\n', 'line 1: expected a JSON object, got "null"'],
    ['half an object at its end', '{"a":1}\n{"a"', 'line 2: expected a JSON object, got "{\\"a\\""'],
  ])('is refused with %s', async (_, content, message) => {
    await expect(read(content)).rejects.toThrow(`${join(folder, 't.jsonl')}: ${message}`);
  });
});
