/**
 * Finds content that a memory holds more than once: weights above all, which a model and its twin, or two versions of
 * it, keep each for itself. An image stores them once, and copies them when it starts.
 */

/** Half-open range of addresses. Its bytes are the same as those from `source` on, which is lower. */
export interface Repeat {
  readonly start: number;
  readonly end: number;
  readonly source: number;
}

/** The number of words in a compared window. Windows at multiples of it are remembered. */
const windowWords = 16;
/** Fewer words are hardly worth a copy, and compression finds what lies near. */
const minWords = 256;
/** Base of the hash of a window, which is a polynomial of its words. */
const base = 0x01000193;
/** The factor of a window's first word when the next word comes in. */
const highest = Array.from({ length: windowWords }).reduce<number>((power) => Math.imul(power, base), 1);

/** @returns ranges in the order of addresses, which do not overlap. A source may itself lie in an earlier repeat */
export function repeatsIn(memory: Uint8Array): readonly Repeat[] {
  const words = new Uint32Array(memory.buffer, memory.byteOffset, memory.byteLength >>> 2);
  const repeats: Repeat[] = [];
  const places = new Map<number, number>();
  let hash = hashAt(words, 0);
  for (let at = 0; at + windowWords <= words.length;) {
    // Zeros cost nothing where they are.
    const place = hash === 0 ? undefined : places.get(hash);
    const length = place === undefined ? 0 : sameWords(words, place, at);
    if (place !== undefined && length >= windowWords) {
      if (length >= minWords) repeats.push({ start: 4 * at, end: 4 * (at + length), source: 4 * place });
      at += length;
      hash = hashAt(words, at);
      continue;
    }
    if (hash !== 0 && place === undefined && at % windowWords === 0) places.set(hash, at);
    hash = (Math.imul(hash, base) + wordAt(words, at + windowWords) - Math.imul(wordAt(words, at), highest)) | 0;
    at++;
  }
  return repeats;
}

/** Returns the memory with zeros in place of repeats. */
export function withoutRepeats(memory: Uint8Array, repeats: readonly Repeat[]): Uint8Array {
  const rest = memory.slice();
  for (const { start, end } of repeats) rest.fill(0, start, end);
  return rest;
}

/** Returns a word; 0 beyond the end, which the last windows pass. */
const wordAt = (words: Uint32Array, at: number): number => words[at] ?? 0;

function hashAt(words: Uint32Array, at: number): number {
  let hash = 0;
  for (let i = at; i < at + windowWords; i++) hash = (Math.imul(hash, base) + wordAt(words, i)) | 0;
  return hash;
}

/**
 * Counts the words that are the same from two places on, up to where zeros begin. The first range ends at the latest
 * where the second begins.
 */
function sameWords(words: Uint32Array, first: number, second: number): number {
  const max = Math.min(second - first, words.length - second);
  let [length, zeros] = [0, 0];
  while (length < max && zeros < windowWords && words[first + length] === words[second + length]) {
    zeros = words[second + length] === 0 ? zeros + 1 : 0;
    length++;
  }
  return length - zeros;
}
