/** A file is overwritten only where the command has written it before, however large it is. */
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { predictionsBegin, requireReplaceable } from '../../../exporter/command/predictions.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-predictions-'));
});
afterAll(() => rm(folder, { recursive: true }));

const check = (path: string) => requireReplaceable('--predictions', path, predictionsBegin);

describe('a file for the answers', () => {
  it('may be new, or one of answers', async () => {
    await expect(check(join(folder, 'new.csv'))).resolves.toBeUndefined();
    const path = join(folder, 'answers.csv');
    await writeFile(path, 'line,expected,predicted\n2,yes,no\n');
    await expect(check(path)).resolves.toBeUndefined();
  });

  it('may have more bytes than can be read at once', async () => {
    const path = join(folder, 'large.csv');
    await writeFile(path, 'line,predicted\n');
    await using file = await open(path, 'r+');
    // The bytes after the header take no room on the disk.
    await file.truncate(3 * 2 ** 30);
    await expect(check(path)).resolves.toBeUndefined();
  });

  it.each([
    ['a table', 'age,label\n41,yes\n'],
    ['an empty file', ''],
  ])('is not %s', async (_what, content) => {
    const path = join(folder, 'table.csv');
    await writeFile(path, content);
    await expect(check(path)).rejects.toThrow(
      `--predictions: expected a new file, or one that it wrote before, got ${path}, which holds something else`,
    );
  });

  it('is not a folder', async () => {
    await expect(check(folder)).rejects.toThrow(`${folder}: cannot read: illegal operation on a directory`);
    await expect(check('')).rejects.toThrow('--predictions: expected a file, got ""');
  });
});
