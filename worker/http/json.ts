/** Parses JSON from untrusted clients: limits its depth, and finds what is wrong with it. */
import { present } from '../../training/arrays/index.ts';
import { quote, RequestError } from '../errors.ts';

/** The maximum depth, which exceeds that of any tensor; JSON nested further is refused before it is parsed. */
const MAX_DEPTH = 32;

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });

/**
 * @param where names the source of the bytes in a message
 * @throws RequestError when the bytes are not JSON in UTF-8, or nested too deep
 */
export function parseJson(bytes: Uint8Array, where = 'body'): unknown {
  if (isDeep(bytes))
    throw new RequestError('malformed', `${where}: expected JSON nested at most ${MAX_DEPTH} deep, got more`);
  try {
    return JSON.parse(decoder.decode(bytes)) as unknown;
  } catch {
    throw new RequestError('malformed', `${where}: ${faultOf(bytes)}`);
  }
}

/** @throws RequestError when the bytes are not UTF-8 */
export function parseText(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new RequestError('malformed', `body: expected text in UTF-8, got ${bytes.byteLength} bytes that are not`);
  }
}

const [quoteMark, backslash] = [0x22, 0x5c];

/** `[` and `{` differ in one bit, as do `]` and `}`; `bracketBit` sets it. */
const [bracketBit, opening, closing] = [0x20, 0x7b, 0x7d];

/** Counts brackets outside strings. UTF-8 never uses their bytes for anything else. */
function isDeep(bytes: Uint8Array): boolean {
  let depth = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = present(bytes[at]);
    if (byte === quoteMark) at = afterString(bytes, at) - 1;
    else if ((byte | bracketBit) === closing) depth--;
    else if ((byte | bracketBit) === opening && ++depth > MAX_DEPTH) return true;
  }
  return false;
}

/** https://www.rfc-editor.org/rfc/rfc8259#section-6 */
const number = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;
/** Matches what Python, JavaScript, R and C++ write for values that JSON has no number for. */
const gap = /^[+-]?(nan|inf|infinity|none|undefined|na)$/i;
const nearlyNumber = /^[+-]?\.?\d[\w.+-]*$/;

/**
 * Describes the fault. For a number it gives the place and the text, because clients make slips there; otherwise it
 * only says that the bytes are not JSON.
 */
function faultOf(bytes: Uint8Array): string {
  for (const { word, at } of words(bytes)) {
    if (gap.test(word)) {
      const written = /inf/i.test(word) ? '"Infinity" or "-Infinity"' : 'null or "NaN"';
      return `expected JSON, got ${word} at byte ${at}: write ${written}`;
    }
    if (nearlyNumber.test(word) && !number.test(word))
      return `expected a number as JSON has them at byte ${at}, got ${quote(word)}`;
  }
  return `expected JSON in UTF-8, got ${bytes.byteLength} bytes that are not`;
}

interface Word {
  readonly word: string;
  /** The offset of its first byte, from 0. */
  readonly at: number;
}

/** The maximum length of a word: longer ones are neither numbers nor gaps. */
const MAX_WORD = 64;
const separators = new Set(Array.from(' \t\r\n[]{},:"', (character) => character.charCodeAt(0)));

/** Yields the words between separators, outside strings. */
function* words(bytes: Uint8Array): Generator<Word> {
  for (let at = 0; at < bytes.length;) {
    let end = at;
    while (end < bytes.length && !separators.has(present(bytes[end]))) end++;
    if (end > at && end - at <= MAX_WORD) yield { word: String.fromCharCode(...bytes.subarray(at, end)), at };
    at = bytes[end] === quoteMark ? afterString(bytes, end) : end + 1;
  }
}

function afterString(bytes: Uint8Array, start: number): number {
  let at = start + 1;
  while (at < bytes.length && bytes[at] !== quoteMark) at += bytes[at] === backslash ? 2 : 1;
  return at + 1;
}
