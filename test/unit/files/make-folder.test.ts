import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeFolder } from '../../../training/files/index.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-make-'));
  await writeFile(join(folder, 'file'), '');
});
afterAll(() => rm(folder, { recursive: true }));

describe('a folder', () => {
  it('is made with those above it, by several at once, and may be there', async () => {
    const path = join(folder, 'a/b/c');
    await Promise.all([makeFolder(path), makeFolder(path), makeFolder(join(folder, 'a/b'))]);
    await makeFolder(path);
    expect((await stat(path)).isDirectory()).toBe(true);
  });

  it.each([
    ['in the place of a file', 'file', /file: cannot make the folder: file already exists$/],
    ['below a file', 'file/a/b', /file\/a\/b: cannot make the folder: not a directory$/],
    // Node's own recursive mkdir never returns for these.
    [
      'where none can be',
      '/proc/nothing/here',
      /^\/proc\/nothing\/here: cannot make the folder: no such file or directory$/,
    ],
  ])('is refused %s, in one line', async (_, path, message) => {
    const where = path.startsWith('/') ? path : join(folder, path);
    await expect(makeFolder(where)).rejects.toThrow(expect.objectContaining({ name: 'UserError' }) as Error);
    await expect(makeFolder(where)).rejects.toThrow(message);
  });
});
