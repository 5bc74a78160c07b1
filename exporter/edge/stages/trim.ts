/**
 * Drops texts of the stock module that no case ever reads; and, where it is asked for, whatever else lies in pages that none
 * reads. Unlike a missing function, missing data does not trap, so the pages are off by default, and the same cases must pass
 * with what is dropped poisoned instead of zeroed.
 */

import { isOutOfMemory } from '../runtime/ort.ts';
import { granuleBytes } from './trace.ts';

/** Shorter ones may be numbers that look like texts. Bytes. */
const shortestText = 16;

/**
 * Texts of the static data that no case reads: most of what the stock module brings. They are what errors say that no case provoked,
 * and names of what no request uses, so that without one an error lacks words: no answer is made of them. A text is kept whole where
 * any of it, or what lies right beside it, is read; and what says that memory has run out, by which such an error is known.
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

/** Printable ASCII, and what parts lines. */
const isText = (byte = 0): boolean => (byte >= 0x20 && byte < 0x7f) || byte === 0x09 || byte === 0x0a;

/** Half-open range of addresses of a dropped page. */
export interface Page {
  readonly start: number;
  readonly end: number;
}

/** Dropping in larger units than reads are traced in keeps what lies next to something read. Bytes. */
const trimPageBytes = 4_096;

/** No pointer, no plausible length, no ordinary float. */
const poison = 0xfb;

/** @param marks one byte for each granule of memory, not 0 if it has been read */
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
