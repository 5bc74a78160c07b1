/**
 * Drops texts of the stock module that no case ever reads and, if asked to, everything else in pages that no case
 * reads. Unlike a missing function, missing data does not trap. So dropping pages is off by default, and the same cases
 * must pass with the dropped data poisoned instead of zeroed.
 */

import { isOutOfMemory } from '../runtime/ort.ts';
import { granuleBytes } from './trace.ts';

/** Shorter ones may be numbers that look like text. Bytes. */
const shortestText = 16;

/**
 * Finds the texts of the static data that no case reads: most of what the stock module brings. They are the words of
 * errors that no case provoked, and names that no request uses. Without one, an error lacks words, but no answer
 * changes. A text is kept whole if any part of it, or anything right beside it, is read, or if it says that memory has
 * run out, which is how such an error is recognised.
 *
 * @param reads one byte for each granule of the static data, not 0 if it has been read
 */
export function unreadTexts(memory: Uint8Array, reads: Uint8Array): readonly Page[] {
  const texts: Page[] = [];
  const length = reads.length * granuleBytes;
  for (let start = 0; start < length; start++) {
    let end = start;
    while (end < length && isText(memory[end])) end++;
    if (end - start >= shortestText && !isNeeded(memory, reads, { start, end })) texts.push({ start, end });
    start = end;
  }
  return texts;
}

function isNeeded(memory: Uint8Array, reads: Uint8Array, { start, end }: Page): boolean {
  const [first, last] = [Math.floor(start / granuleBytes) - 1, Math.floor(end / granuleBytes) + 1];
  const isRead = reads.subarray(Math.max(0, first), last + 1).some((read) => read !== 0);
  return isRead || isOutOfMemory(new TextDecoder().decode(memory.slice(start, end)));
}

/** Is true for printable ASCII, tabs and newlines. */
const isText = (byte = 0): boolean => (byte >= 0x20 && byte < 0x7f) || byte === 0x09 || byte === 0x0a;

/** Half-open range of addresses of a dropped page or text. */
export interface Page {
  readonly start: number;
  readonly end: number;
}

/** The unit of dropping is larger than that of tracing, to keep what lies next to something read. Bytes. */
const trimPageBytes = 4_096;

/** A byte that makes no pointer, no plausible length and no ordinary float. */
const poison = 0xfb;

/**
 * Finds the pages that no case reads.
 *
 * @param marks one byte for each granule of memory, not 0 if it has been read
 */
export function unreadPages(memory: Uint8Array, marks: Uint8Array): readonly Page[] {
  const pages: Page[] = [];
  for (let start = 0; start < memory.length; start += trimPageBytes) {
    const end = start + trimPageBytes;
    const read = marks.subarray(start / granuleBytes, end / granuleBytes).some((mark) => mark !== 0);
    if (!read && memory.subarray(start, end).some((byte) => byte !== 0)) pages.push({ start, end });
  }
  return pages;
}

export function zeroPages(memory: Uint8Array, pages: readonly Page[]): Uint8Array {
  return fillPages(memory, pages, 0);
}

export function poisonPages(memory: Uint8Array, pages: readonly Page[]): Uint8Array {
  return fillPages(memory, pages, poison);
}

function fillPages(memory: Uint8Array, pages: readonly Page[], value: number): Uint8Array {
  const filled = memory.slice();
  for (const { start, end } of pages) filled.fill(value, start, end);
  return filled;
}
