/**
 * Endless files are refused before they are read: a blocking read would hold the process, and even Ctrl-C could not end
 * it.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { requireReplaceable } from '../../../exporter/command/predictions.ts';
import { bnEdge } from '../../command.ts';

const folder = mkdtempSync(join(tmpdir(), 'pipes-'));

function pipe(...path: readonly string[]): string {
  const file = join(folder, ...path);
  mkdirSync(join(file, '..'), { recursive: true });
  execFileSync('mkfifo', [file]);
  return file;
}

// Windows has no named pipes in the file system.
it.skipIf(process.platform === 'win32').for<[name: string, args: (file: string) => readonly string[]]>([
  ['t.csv', (file) => ['train', file, '--label', 'y']],
  ['t.jsonl', (file) => ['train', file, '--label', 'y']],
  ['t.parquet', (file) => ['train', file, '--label', 'y']],
  ['t.npy', (file) => ['train', file, '--label', 'y']],
  ['pictures/a/1.png', (file) => ['train', join(file, '..', '..')]],
  ['c.safetensors', (file) => ['export', file]],
  ['m.onnx', (file) => ['add', file]],
  ['client.ts', (file) => ['client', '--out', file]],
  ['project/package.json', (file) => ['init', join(file, '..')]],
  ['ignoring/.gitignore', (file) => ['init', join(file, '..')]],
])('%s is refused where it is a pipe', { timeout: 60_000 }, async ([name, args]) => {
  const file = pipe(...name.split('/'));
  const { code, stderr } = await bnEdge(args(file), { cwd: folder, timeout: 30_000 });
  const [line, ...more] = stderr.split('\n');
  expect(line).toContain(`${file}: expected a file on a disk, got a pipe: write what it gives to a file first`);
  expect([code, more]).toEqual([1, []]);
});

it.skipIf(process.platform === 'win32')('a file of answers is refused where it is a pipe', async () => {
  const file = pipe('answers.csv');
  await expect(requireReplaceable('--predictions', file, /^line/)).rejects.toThrow(
    `${file}: expected a file on a disk, got a pipe`,
  );
});
