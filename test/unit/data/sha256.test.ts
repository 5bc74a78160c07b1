import fc from 'fast-check';
import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { sha256 } from '../../../training/data/sha256.ts';

const hex = (words: Int32Array): string =>
  Array.from(words, (word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
const expected = (text: string): string => createHash('sha256').update(text).digest('hex');

it('is what the standard prints for "abc"', () => {
  expect(hex(sha256('abc'))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});

it('is that of OpenSSL for texts of every length around a block', () => {
  for (let length = 0; length < 200; length++)
    expect(hex(sha256('a'.repeat(length)))).toBe(expected('a'.repeat(length)));
});

it('is that of OpenSSL for any text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (text) => {
      expect(hex(sha256(text))).toBe(expected(text));
    }),
  );
});
