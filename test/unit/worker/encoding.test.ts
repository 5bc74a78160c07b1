/** Compressed bodies of Node's zlib are decoded, and damaged or oversized ones are refused. */
import { constants, deflateSync, gzipSync, type ZlibOptions, inflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { inflateBody, encodingOf } from '../../../worker/http/inflate-body.ts';
import { RequestError } from '../../../worker/errors.ts';
import { seeded } from '../../reference/random.ts';

const limit = 8 * 2 ** 20;
const copy = (bytes: Uint8Array): Uint8Array => Uint8Array.from(bytes);
const random = seeded(7);
const noise = Uint8Array.from({ length: 300_000 }, () => Math.floor(random() * 256));
const text = new TextEncoder().encode(JSON.stringify(Array.from(noise.subarray(0, 60_000))));
const contents = { nothing: new Uint8Array(), byte: Uint8Array.of(7), text, noise, zeros: new Uint8Array(limit) };
const formats = { gzip: gzipSync, deflate: deflateSync } as const;
type Format = keyof typeof formats;

function refusalOf(run: () => unknown): RequestError {
  try {
    run();
  } catch (error) {
    if (error instanceof RequestError) return error;
    throw error;
  }
  throw new Error('expected a refusal, got an answer');
}

const cases = (Object.keys(formats) as Format[]).flatMap((format) =>
  Object.entries(contents).flatMap(([name, content]) =>
    [0, 1, 9].map((level) => [format, name, content, { level }] as const),
  ),
);

describe('a compressed body', () => {
  it.each(cases)('%s of %s is what it was: %3$o', (format, _, content, options) => {
    expect(Buffer.compare(inflateBody(copy(formats[format](content, options)), format, limit), content)).toBe(0);
  });

  it.each<[string, ZlibOptions]>([
    ['codes of the standard', { strategy: constants.Z_FIXED }],
    ['runs only', { strategy: constants.Z_RLE }],
    ['codes without matches', { strategy: constants.Z_HUFFMAN_ONLY }],
  ])('may have %s', (_, options) => {
    expect(Buffer.compare(inflateBody(copy(gzipSync(text, options)), 'gzip', limit), text)).toBe(0);
  });

  it('may have a name, a comment, a checksum and more in its header', () => {
    const packed = gzipSync(text);
    const extra = [3, 0, 1, 2, 3];
    const named = [...Buffer.from('body.json\0'), ...Buffer.from('a comment\0'), 0, 0];
    const header = Uint8Array.of(
      ...packed.subarray(0, 3),
      2 + 4 + 8 + 16,
      ...packed.subarray(4, 10),
      ...extra,
      ...named,
    );
    const whole = Uint8Array.from([...header, ...packed.subarray(10)]);
    expect(Buffer.compare(inflateBody(whole, 'gzip', limit), text)).toBe(0);
  });

  it.each(['gzip', 'deflate'] as const)('of %s inflates to the limit and no byte further', (format) => {
    const packed = formats[format](new Uint8Array(limit + 1));
    const { refusal, message } = refusalOf(() => inflateBody(copy(packed), format, limit));
    expect([refusal, message]).toEqual(['too large', `body: expected at most ${limit} bytes when inflated, got more`]);
  });

  it('stops early where it inflates to a thousand times its size: what is missing at its end is not missed', () => {
    const packed = gzipSync(new Uint8Array(64 * 2 ** 20), { level: 9 });
    const half = copy(packed.subarray(0, packed.length / 2));
    expect(refusalOf(() => inflateBody(half, 'gzip', limit)).refusal).toBe('too large');
  });

  it('is refused where it has a block for every few bytes, and not where it has some', () => {
    // Four empty blocks with the fixed codes are five bytes, `BFINAL 0, BTYPE 01, end of block` each; the last block says so.
    const fours = (count: number) => Array.from({ length: count }, () => [0x02, 0x08, 0x20, 0x80, 0x00]).flat();
    const packed = (count: number) => Uint8Array.from([0x78, 0x9c, ...fours(count), 0x03, 0x00, 0, 0, 0, 1]);
    expect(inflateSync(packed(200_000))).toHaveLength(0);
    expect(inflateBody(packed(50), 'deflate', limit)).toHaveLength(0);
    expect(refusalOf(() => inflateBody(packed(200_000), 'deflate', limit)).refusal).toBe('malformed');
  });

  it.each(['gzip', 'deflate'] as const)('of %s is refused wherever it is cut', (format) => {
    const packed = formats[format](Buffer.from('{"inputs": []}, {"inputs": []}'));
    for (let length = 0; length < packed.length; length++) {
      const cut = copy(packed.subarray(0, length));
      const message = `body: expected ${format}, as content-encoding says, got ${length} bytes that are not`;
      expect([length, refusalOf(() => inflateBody(cut, format, limit)).message]).toEqual([length, message]);
    }
  });

  it.each(['gzip', 'deflate'] as const)('of %s is refused with another bit, or gives the same bytes', (format) => {
    const content = Buffer.from('{"inputs": [1, 2, 3]}');
    const packed = formats[format](content);
    let refused = 0;
    for (let bit = 0; bit < packed.length * 8; bit++) {
      const changed = copy(packed);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      try {
        expect([bit, Buffer.from(inflateBody(changed, format, limit)).equals(content)]).toEqual([bit, true]);
      } catch (error) {
        if (!(error instanceof RequestError)) throw error;
        refused++;
      }
    }
    // Only the header's time and operating system may be damaged without effect.
    expect(refused).toBeGreaterThan(packed.length * 8 - 100);
  });

  it('is refused with anything behind it', () => {
    const packed = Uint8Array.from([...gzipSync(text), 0]);
    expect(refusalOf(() => inflateBody(packed, 'gzip', limit)).refusal).toBe('malformed');
  });
});

describe('a content encoding', () => {
  const of = (encoding?: string) =>
    encodingOf(
      new Request('http://worker', { headers: encoding === undefined ? {} : { 'content-encoding': encoding } }),
    );

  it.each([
    [undefined, 'identity'],
    ['', 'identity'],
    ['Identity', 'identity'],
    ['gzip', 'gzip'],
    ['x-gzip', 'gzip'],
    [' GZIP ', 'gzip'],
    ['deflate', 'deflate'],
  ])('%s is taken', (sent, encoding) => {
    expect(of(sent)).toBe(encoding);
  });

  it.each(['br', 'zstd', 'gzip, gzip', 'constructor', '__proto__'])('%s is refused', (encoding) => {
    const { refusal, message } = refusalOf(() => of(encoding));
    expect([refusal, message]).toEqual([
      'unsupported media type',
      `content-encoding: expected gzip, deflate or identity, got ${JSON.stringify(encoding)}`,
    ]);
  });
});
