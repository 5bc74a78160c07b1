/** Malicious pictures: the most work that a few bytes can demand, or that a picture within all limits can cause. */
import { crc32, deflateSync } from 'node:zlib';
import { frame, quantization, type ScanScript, scanHeader, segment } from './jpeg-file.ts';

export interface HostilePicture {
  readonly name: string;
  readonly file: () => Uint8Array;
  /** The message of the refusal; undefined where the picture is within the limits. */
  readonly refusal?: string;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** The size of a camera's picture, 12 megapixels. */
export const CAMERA: Size = { width: 4096, height: 3072 };

/** A Huffman table of codes of 1, 2, … bits: `0`, `10`, `110`, … */
function growing(number: number, ...symbols: readonly number[]): Uint8Array {
  return segment(0xc4, [number, ...Array.from({ length: 16 }, (_, i) => (i < symbols.length ? 1 : 0)), ...symbols]);
}

const start = Uint8Array.of(0xff, 0xd8);
const end = Uint8Array.of(0xff, 0xd9);
const joinedAll = (parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts));
const joined = (...parts: readonly Uint8Array[]): Uint8Array => joinedAll(parts);
const repeated = (part: Uint8Array, times: number): Uint8Array =>
  Uint8Array.from({ length: part.length * times }, (_, i) => part[i % part.length] ?? 0);
const ones = [1, 1] as const;

const scan = (components: readonly number[], first: number, last: number, high: number, low: number): ScanScript => ({
  components,
  first,
  last,
  high,
  low,
});

/** The code for the end of block of 2¹⁴ blocks and more. */
const MANY_BLOCKS = 0xe0;
const SIXTEEN_ZEROS = 0xf0;

/**
 * Makes a JPEG where each block's last coefficient is not 0, and each later scan searches the whole block for it: all
 * bits of the scans are 0, one for each block.
 */
export function searchingJpeg({ width, height }: Size, channels: 1 | 3, scans: number): Uint8Array {
  const blocks = (width / 8) * (height / 8);
  const zeros = new Uint8Array(Math.ceil(blocks / 8) + 64);
  const sampling = Array.from({ length: channels }, () => ones);
  const all = sampling.map((_, i) => i);
  const refinements = Array.from({ length: scans - 1 - channels }, (_, i) => {
    return [scanHeader(scan([0], 1, 63, Math.max(13 - i, 1), Math.max(12 - i, 0))), zeros];
  });
  return joined(
    start,
    quantization,
    frame({ width, height, sampling, isProgressive: true }),
    growing(0x00, 0),
    // Three times sixteen zeros, fourteen more and a one are coded as 000 10 1.
    growing(0x10, SIXTEEN_ZEROS, 0xe1),
    scanHeader(scan(all, 0, 0, 0, 0)),
    repeated(Uint8Array.of(0), Math.ceil((blocks * channels) / 8) + 1),
    ...all.flatMap((component) => [
      scanHeader(scan([component], 1, 63, 0, 13)),
      repeated(Uint8Array.of(0b00010100, 0b01010001, 0b01000101), blocks / 4 + 1),
    ]),
    growing(0x10, MANY_BLOCKS),
    ...refinements.flat(),
    end,
  );
}

/** Makes a JPEG of all coefficients of all blocks, each in two bits. */
function denseJpeg({ width, height }: Size): Uint8Array {
  const sampling = [ones, ones, ones];
  // 0 codes a coefficient without zeros before it, and 0 or 1 its sign. A block has 63 of them.
  const block = `00${'01'.repeat(63)}`;
  const bits = block.repeat(2);
  const bytes = Uint8Array.from({ length: bits.length / 8 }, (_, i) =>
    Number.parseInt(bits.slice(8 * i, 8 * i + 8), 2),
  );
  return joined(
    start,
    quantization,
    frame({ width, height, sampling }),
    growing(0x00, 1),
    growing(0x10, 0x01),
    scanHeader(scan([0, 1, 2], 0, 63, 0, 0)),
    repeated(bytes, (width * height * 3) / 128 + 1),
    end,
  );
}

/** Repeats a JPEG's segment before a small picture. */
const flooded = (part: Uint8Array): Uint8Array =>
  joined(start, repeated(part, Math.floor(8e6 / part.length)), smallJpeg().subarray(2));

const smallJpeg = (): Uint8Array => searchingJpeg({ width: 32, height: 32 }, 1, 2);

/** Returns the header of a picture with this depth in bits and these channels, by the marker of its frame. */
const framed = (marker: number, bits: number, sampling: readonly (readonly [number, number])[]): Uint8Array => {
  const header = frame({ width: 64, height: 64, sampling });
  return joined(
    start,
    header.map((byte, i) => (i === 1 ? marker : i === 4 ? bits : byte)),
    end,
  );
};

const word = (value: number): number[] => [value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255];

function chunk(type: string, data: Uint8Array): Uint8Array {
  const named = Buffer.concat([Buffer.from(type), data]);
  return joined(Uint8Array.from(word(data.length)), named, Uint8Array.from(word(crc32(named))));
}

export interface PngScript {
  readonly width: number;
  readonly height: number;
  readonly depth?: number;
  readonly colour?: number;
  readonly interlace?: number;
  readonly more?: readonly Uint8Array[];
}

export function png(script: PngScript, ...data: readonly Uint8Array[]): Uint8Array {
  const { width, height, depth = 8, colour = 6, interlace = 0, more = [] } = script;
  const header = Uint8Array.from([...word(width), ...word(height), depth, colour, 0, 0, interlace]);
  const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
  const parts = data.map((part) => chunk('IDAT', part));
  return joinedAll([signature, chunk('IHDR', header), ...more, ...parts, chunk('IEND', new Uint8Array())]);
}

/** Makes a PNG whose rows all have a filter, of bytes that compress to almost nothing. */
export function filteredPng(filter: number, script: PngScript, samples = 4): Uint8Array {
  const rowBytes = 1 + script.width * samples;
  const rows = Buffer.alloc(script.height * rowBytes, 3);
  for (let y = 0; y < script.height; y++) rows[y * rowBytes] = filter;
  return png(script, deflateSync(rows));
}

/**
 * Returns deflate blocks that are empty: each is not the last, uses the fixed codes, and holds only the end, 256 in
 * seven bits.
 */
export const emptyBlocks = (blocks: number): Uint8Array =>
  joined(Uint8Array.of(0x78, 0x01), repeated(Uint8Array.from(packed('0100000000'.repeat(4))), blocks / 4));

/** Packs bits; the first character is the lowest bit of the first byte. */
const packed = (bits: string): number[] =>
  Array.from({ length: Math.ceil(bits.length / 8) }, (_, i) => {
    return Number.parseInt(
      Array.from(bits.slice(8 * i, 8 * i + 8))
        .reverse()
        .join(''),
      2,
    );
  });

const damaged = (format: string): string => `${format}: expected a whole picture, got a damaged or truncated one`;
const kind = 'jpeg: expected baseline or progressive with 8 bits and 1, 3 or 4 channels, got';

/** Pictures that are refused for what their headers declare. */
export const refusedPictures: readonly HostilePicture[] = [
  {
    name: 'a JPEG of 4097 × 3072 pixels',
    file: () => searchingJpeg({ width: 4104, height: 3072 }, 1, 2),
    refusal: 'jpeg: expected at most 12582912 pixels, got 4104 × 3072',
  },
  {
    name: 'a JPEG of 17 scans',
    file: () => searchingJpeg({ width: 2048, height: 2048 }, 3, 17),
    refusal: 'jpeg: expected at most 16 scans, got 17',
  },
  {
    name: 'a JPEG of one scan over and over',
    file: () => repeatingJpeg(400),
    refusal: damaged('jpeg'),
  },
  {
    name: 'a JPEG of 12 bits',
    file: () => framed(0xc1, 12, [ones]),
    refusal: `${kind} SOF1 with 12 bits and 1 channels`,
  },
  {
    name: 'a JPEG in arithmetic coding',
    file: () => framed(0xc9, 8, [ones]),
    refusal: `${kind} SOF9 with 8 bits and 1 channels`,
  },
  {
    name: 'a JPEG without loss',
    file: () => framed(0xc3, 8, [ones, ones, ones]),
    refusal: `${kind} SOF3 with 8 bits and 3 channels`,
  },
  {
    name: 'a JPEG of two channels',
    file: () => framed(0xc0, 8, [ones, ones]),
    refusal: `${kind} SOF0 with 8 bits and 2 channels`,
  },
  {
    name: 'a JPEG of channels at two thirds',
    file: () =>
      framed(0xc0, 8, [
        [3, 1],
        [2, 1],
        [1, 1],
      ]),
    refusal: 'jpeg: expected channels at a whole fraction of the size, got 3x1 2x1 1x1',
  },
  {
    name: 'a JPEG of no pixels',
    file: () => joined(start, frame({ width: 0, height: 8, sampling: [ones] }), end),
    refusal: damaged('jpeg'),
  },
  { name: 'a JPEG without a scan', file: () => framed(0xc0, 8, [ones]), refusal: damaged('jpeg') },
  {
    name: 'a PNG of 12 megapixels of 16 bits',
    file: () => png({ ...CAMERA, depth: 16 }, new Uint8Array(8)),
    refusal: 'png: expected at most 50397184 bytes inflated, got 100666368: 4096 × 3072',
  },
  {
    name: 'a PNG of one row',
    file: () => png({ width: 2 ** 22, height: 1, depth: 16 }, new Uint8Array(8)),
    refusal: 'png: expected at most 32767 pixels on a side, got 4194304 × 1',
  },
  {
    name: 'an interlaced PNG of 12 megapixels',
    file: () => png({ ...CAMERA, interlace: 1 }, new Uint8Array(8)),
    refusal: 'png: expected at most 4194304 interlaced pixels, got 4096 × 3072',
  },
  {
    name: 'a PNG of 13 megapixels',
    file: () => png({ width: 4096, height: 3073, colour: 0 }, new Uint8Array(8)),
    refusal: 'png: expected at most 12582912 pixels, got 4096 × 3073',
  },
  {
    name: 'a PNG of 65,537 chunks',
    file: () => png({ width: 8, height: 8 }, ...Array.from({ length: 65_535 }, () => new Uint8Array())),
    refusal: 'png: expected at most 65536 chunks, got 65537',
  },
];

/** A progressive JPEG that sends one bit again and again. */
export function repeatingJpeg(scans: number, { width, height } = { width: 2048, height: 2048 }): Uint8Array {
  const zeros = new Uint8Array(((width / 8) * (height / 8)) / 8 + 64);
  const again = joined(scanHeader(scan([0], 1, 63, 1, 0)), zeros);
  return joined(searchingJpeg({ width, height }, 1, 3).subarray(0, -2), repeated(again, scans), end);
}

/** Pictures within all limits that cause as much work as their size allows. */
export const heaviestPictures = (size: Size): readonly HostilePicture[] => [
  { name: 'a JPEG of 16 scans that search', file: () => searchingJpeg(size, 3, 16) },
  { name: 'a grey JPEG of 15 scans that search', file: () => searchingJpeg(size, 1, 15) },
  // The file is as large as a body may be.
  { name: 'a JPEG of all coefficients', file: () => denseJpeg({ ...size, height: Math.floor(size.height / 10) * 8 }) },
  ...[0, 1, 2, 3, 4].map((filter) => ({
    name: `a PNG with filter ${filter}`,
    file: () => filteredPng(filter, size),
  })),
  {
    name: 'a PNG of short rows',
    file: () => filteredPng(4, { width: Math.floor((size.width * size.height) / 32_767), height: 32_767 }),
  },
  { name: 'an interlaced PNG', file: () => interlacedPng({ width: size.width / 2, height: size.width / 2 }) },
];

/** Pictures that are refused when decoding reaches a limit. */
export const floods: readonly HostilePicture[] = [
  {
    name: 'a JPEG with 8 MB of Huffman tables',
    file: () => flooded(growing(0x00, 0)),
    refusal: 'jpeg: expected at most 4096 segments, got more',
  },
  {
    name: 'a JPEG with 8 MB of comments',
    file: () => flooded(segment(0xfe, [])),
    refusal: 'jpeg: expected at most 4096 segments, got more',
  },
  {
    name: 'a PNG with 6 million blocks of nothing',
    file: () => png({ width: 384, height: 32_767 }, emptyBlocks(6_000_000)),
    refusal: 'png: expected at most 46087 blocks of deflate, got more',
  },
  {
    name: 'a PNG that inflates to more',
    file: () => png({ width: 8, height: 8 }, deflateSync(Buffer.alloc(2 ** 26))),
    refusal: damaged('png'),
  },
];

function interlacedPng({ width, height }: Size): Uint8Array {
  // The data have as many rows, of as many bytes, as the seven passes.
  const passes = [
    [8, 8],
    [8, 8],
    [4, 8],
    [4, 4],
    [2, 4],
    [2, 2],
    [1, 2],
  ] as const;
  const size = passes.reduce((sum, [across, down]) => sum + (height / down) * (1 + (4 * width) / across), 0);
  return png({ width, height, interlace: 1 }, deflateSync(Buffer.alloc(size)));
}
