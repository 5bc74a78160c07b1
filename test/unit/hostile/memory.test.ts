/**
 * Readers stay within a limit of memory, heap included, measured as the peak of a process that reads one large file.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { largeFiles, type LargeFormat } from './large-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'bn-edge-large-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('the peak of the process rises with a large file by the file, the result and a constant at most', () => {
  it.concurrent.each(Object.keys(largeFiles) as LargeFormat[])('%s', async (format) => {
    const { create, times, slack } = largeFiles[format];
    const [path, file] = [join(folder, format), create()];
    writeFileSync(path, file);
    const script = join(import.meta.dirname, 'reader-memory.ts');
    // A collector on threads of its own falls behind on a busy machine, and the peak would depend on the load.
    const args = ['--expose-gc', '--single-threaded-gc', '--import', 'tsx', script, format, path];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    expect(Number(stdout)).toBeGreaterThan(0.5 * file.length);
    expect(Number(stdout)).toBeLessThan(times * file.length + slack);
  });
});
