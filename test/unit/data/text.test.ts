/** The beginning of a text tells its encoding; the text comes in the chunks of its source. */
import { describe, expect, it } from 'vitest';
import type { Encoding } from '../../../training/data/index.ts';
import { beginningOf, shareOf, textOf, type TextSource } from '../../../training/data/text.ts';

const sourceOf = (bytes: Uint8Array, size = bytes.length, taken: number[] = []): TextSource => ({
  name: 'text',
  async *chunks() {
    for (let at = 0; at < bytes.length; at += size) {
      taken.push(at);
      yield await Promise.resolve(bytes.subarray(at, at + size));
    }
  },
});

const utf16 = (text: string): Buffer => Buffer.from(text, 'utf16le');
/** Returns `letters` of UTF-16 in which every second byte is 0, and `others` in which none is. */
const sparse = (letters: number, others: number): Buffer => utf16('a'.repeat(letters) + 'ā'.repeat(others));

describe('the encoding', () => {
  it.each<[string, Uint8Array, Encoding]>([
    ['plain text', Buffer.from('a,b\n1,2\n'), 'utf-8'],
    ['nothing', Buffer.from(''), 'utf-8'],
    ['a byte order mark of UTF-8', Buffer.from('\uFEFFa,b'), 'utf-8'],
    ['a byte order mark', utf16('\uFEFFa'), 'utf-16le'],
    ['a byte order mark of the other order', utf16('\uFEFFa').swap16(), 'utf-16be'],
    ['the first byte of a mark alone', Uint8Array.of(0xff, 0x41, 0x42), 'utf-8'],
    ['the first byte of the other mark alone', Uint8Array.of(0xfe, 0x41, 0x42), 'utf-8'],
    ['the second byte of a mark alone', Uint8Array.of(0x41, 0xfe), 'utf-8'],
    ['zeros in 21 odd bytes', sparse(21, 20), 'utf-16le'],
    ['zeros in 20 odd bytes', sparse(20, 20), 'utf-8'],
    ['zeros in 21 even bytes', sparse(21, 20).swap16(), 'utf-16be'],
    ['zeros in 20 even bytes', sparse(20, 20).swap16(), 'utf-8'],
    ['zeros in odd bytes, and one in an even byte', Buffer.concat([sparse(30, 0), Uint8Array.of(0, 1)]), 'utf-8'],
    [
      'zeros in even bytes, and one in an odd byte',
      Buffer.concat([sparse(30, 0).swap16(), Uint8Array.of(1, 0)]),
      'utf-8',
    ],
    ['zeros only beyond the first 200 bytes', sparse(0, 400).fill(0, 200), 'utf-8'],
    ['zeros everywhere', new Uint8Array(100), 'utf-8'],
  ])('of %s', async (_, bytes, expected) => {
    expect((await beginningOf(sourceOf(bytes), undefined)).encoding).toBe(expected);
  });

  it('is the given one, whatever the bytes are', async () => {
    const read = await beginningOf(sourceOf(Buffer.from('\x80', 'latin1')), 'cp1252');
    expect(read).toEqual({ text: '€', encoding: 'cp1252' });
  });
});

describe('the beginning', () => {
  it('is the whole of a short text, joined from its chunks', async () => {
    const text = 'grün,weiß\n1,2\n';
    for (const size of [1, 2, 3, 100])
      expect((await beginningOf(sourceOf(Buffer.from(text), size), undefined)).text).toBe(text);
  });

  it('ends with the chunk that reaches 64 kB', async () => {
    const taken: number[] = [];
    const { text } = await beginningOf(sourceOf(Buffer.alloc(200_000, 'a'), 32_768, taken), undefined);
    expect([text.length, taken]).toEqual([65_536, [0, 32_768]]);
    const more: number[] = [];
    expect((await beginningOf(sourceOf(Buffer.alloc(200_000, 'a'), 32_767, more), undefined)).text.length).toBe(98_301);
  });
});

describe('a text', () => {
  const read = async (bytes: Uint8Array, encoding: Encoding, size: number): Promise<string> => {
    const [texts, parts]: [string[], Uint8Array[]] = [[], []];
    for await (const chunk of textOf(sourceOf(bytes, size), encoding)) {
      if (typeof chunk === 'string') texts.push(chunk);
      else parts.push(chunk);
    }
    return texts.join('') + Buffer.concat(parts).toString();
  };
  it.each<[Encoding, Uint8Array]>([
    ['utf-8', Buffer.from('größe €')],
    ['latin1', Buffer.from('größe \x80', 'latin1')],
    ['cp1252', Buffer.from('größe \x80', 'latin1')],
    ['utf-16le', utf16('größe €')],
    ['utf-16be', utf16('größe €').swap16()],
  ])('in %s is decoded over the bounds of chunks', async (encoding, bytes) => {
    for (const size of [1, 3, 100]) expect(await read(bytes, encoding, size)).toBe('größe €');
  });

  it('that ends within a character shows it', async () => {
    expect(await read(Uint8Array.of(0x61, 0, 0x62), 'utf-16le', 1)).toBe('a\uFFFD');
  });

  it.each([
    [0, 0, 0],
    [0, 8, 0],
    [2, 8, 0.25],
    [8, 8, 1],
  ])('of which %i of %i bytes are read has the share %f', (bytesRead, size, share) => {
    expect(shareOf({ read: bytesRead, size })).toBe(share);
  });
});
