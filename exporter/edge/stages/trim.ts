/**
 * Drops pages that no case ever reads: most of all the texts of the stock module, since sealing has taken from the heap what
 * is not needed there. Unlike a missing function, missing data does not trap, so this is off by default, and the same cases
 * must pass with the dropped pages poisoned instead of zeroed.
 */

import { granuleBytes } from './trace.ts';

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
