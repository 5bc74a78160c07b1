/**
 * Damaged files of every format give one line for the user or a meaningful result, in little memory. For each reading
 * the array buffers are counted, which a declared size would allocate; the heap with its garbage is limited by the
 * process's peak over all readings. memory.test.ts checks both for large files.
 */
import { readdirSync, rmSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { UserError } from '../../../training/files/errors.ts';
import { GraphError } from '../../../training/graph/index.ts';
import { seeded } from '../../reference/random.ts';
import { folder, formats } from './formats.ts';
import { mutate } from './mutate.ts';

const COUNT = 10_000;

/** The bytes that may be taken beside the reader, or to find a header by inflating 4096 compressed bytes. */
const SLACK = 6e6;

/** The bytes of garbage that V8 may not have collected yet; a single reading that takes more is found. */
const RESIDENT_SLACK = 4e8;

const peak = () => process.resourceUsage().maxRSS * 1024;

afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** @returns whether the file was read; the test fails unless it was, or was refused with a line for the user */
async function isRead(read: (bytes: Uint8Array) => unknown, bytes: Uint8Array): Promise<boolean> {
  const before = process.memoryUsage().arrayBuffers;
  try {
    const result = read(bytes);
    if (result instanceof Promise) await result;
    return true;
  } catch (error) {
    if (!(error instanceof UserError) && !(error instanceof GraphError)) throw error;
    // The errors of several columns are reported together, one on each line.
    for (const line of error.message.split('\n  ')) expect(line).toMatch(/^[^\p{Cc}]{5,500}$/u);
    return false;
  } finally {
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 * bytes.length + SLACK);
  }
}

describe.each(formats)('$name', ({ files, tokens, read }) => {
  it('is read as it is', async () => {
    for (const file of files) expect(await isRead(read, file)).toBe(true);
  });

  it(`is refused or read after each of ${COUNT} kinds of damage`, async () => {
    const random = seeded(7);
    const before = peak();
    let refused = 0;
    for (let i = 0; i < COUNT; i++) {
      const bytes = mutate(random, files, tokens);
      const wasRead = await isRead(read, bytes).catch((cause: unknown) => {
        throw new Error(`mutant ${i} (base64): ${bytes.toString('base64').slice(0, 400)}`, { cause });
      });
      if (!wasRead) refused++;
    }
    expect(peak() - before).toBeLessThan(RESIDENT_SLACK);
    expect(refused).toBeGreaterThan(COUNT / 10);
    expect(refused).toBeLessThan(COUNT);
    expect(readdirSync(folder).filter((file) => !file.startsWith('file.'))).toEqual([]);
  }, 300_000);
});
