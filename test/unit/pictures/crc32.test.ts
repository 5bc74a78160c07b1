import { crc32 as reference } from 'node:zlib';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { crc32 } from '../../../training/pictures/crc32.ts';

it.each([
  ['', 0],
  // https://reveng.sourceforge.io/crc-catalogue/17plus.htm#crc.cat.crc-32-iso-hdlc
  ['123456789', 0xcbf43926],
])('the checksum of %j is the published one', (text, checksum) => {
  expect(crc32(new TextEncoder().encode(text)) >>> 0).toBe(checksum);
});

it("is zlib's, of whole steps and what is left of one, wherever in a buffer the bytes lie", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(9), (bytes, from) => {
      const part = bytes.subarray(from);
      expect(crc32(part) >>> 0).toBe(reference(part));
    }),
  );
});
