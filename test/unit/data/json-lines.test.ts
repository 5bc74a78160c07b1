/** Members of JSON objects become the texts that a table in text would hold. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openJsonLines, textOfValue } from '../../../training/data/json-lines.ts';

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
