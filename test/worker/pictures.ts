/** Pictures for the tests: one drawing in every format, and files that are not pictures. */
import { encode } from 'fast-png';
import { zlibSync } from 'fflate';

export interface Look {
  readonly format: 'grey' | 'grey16' | 'bits' | 'rgb' | 'rgba' | 'palette' | 'transparent' | 'key' | 'bit key';
  /** Black on white instead of white on black. */
  readonly inverted?: boolean;
  readonly scale?: number;
}

/** Draws a seven of two strokes, 18 × 22 pixels times `scale`, on a larger sheet, in 0 or 255. */
function drawing(scale: number): { width: number; height: number; data: number[] } {
  const [width, height] = [40 * scale, 32 * scale];
  const data = Array.from({ length: width * height }, (_, i) => {
    const [x, y] = [Math.floor((i % width) / scale) - 9, Math.floor(i / width / scale) - 5];
    const bar = y >= 0 && y < 4 && x >= 0 && x < 18;
    const leg = y >= 4 && y < 22 && Math.abs(x - (16 - y * 0.5)) < 2.5;
    return bar || leg ? 255 : 0;
  });
  return { width, height, data };
}

export function seven({ format, inverted = false, scale = 1 }: Look): Uint8Array {
  const { width, height, data } = drawing(scale);
  const value = data.map((ink) => (inverted ? 255 - ink : ink));
  const size = { width, height };
  switch (format) {
    case 'grey':
      return encode({ ...size, channels: 1, data: Uint8Array.from(value) });
    case 'grey16':
      return encode({ ...size, channels: 1, depth: 16, data: Uint16Array.from(value, (v) => v * 257) });
    case 'bits':
      return pngOf({ ...size, depth: 1, colour: 0, rows: bitRows(value, width) });
    case 'rgb':
      return encode({ ...size, channels: 3, data: Uint8Array.from(value.flatMap((v) => [v, v, v])) });
    case 'rgba':
      return encode({ ...size, channels: 4, data: Uint8Array.from(value.flatMap((v) => [v, v, v, 255])) });
    case 'palette': {
      const palette = { type: 'PLTE', data: Uint8Array.of(0, 0, 0, 255, 255, 255) };
      return pngOf({ ...size, depth: 1, colour: 3, rows: bitRows(value, width), more: [palette] });
    }
    case 'key': {
      const [paper, rows] = [
        inverted ? 255 : 0,
        Uint8Array.from(value.flatMap((v, i) => (i % width === 0 ? [0, v] : [v]))),
      ];
      return pngOf({ ...size, depth: 8, colour: 0, rows, more: [{ type: 'tRNS', data: Uint8Array.of(0, paper) }] });
    }
    case 'bit key': {
      const [paper, rows] = [inverted ? 1 : 0, bitRows(value, width)];
      return pngOf({ ...size, depth: 1, colour: 0, rows, more: [{ type: 'tRNS', data: Uint8Array.of(0, paper) }] });
    }
    case 'transparent': {
      const ink = inverted ? 0 : 255;
      return encode({ ...size, channels: 4, data: Uint8Array.from(data.flatMap((alpha) => [ink, ink, ink, alpha])) });
    }
  }
}

/** Packs one bit per pixel; each row follows its filter byte. */
function bitRows(values: readonly number[], width: number): Uint8Array {
  const rows = Array.from({ length: values.length / width }, (_, y) => values.slice(y * width, (y + 1) * width));
  const pack = (row: readonly number[]): number[] =>
    Array.from({ length: Math.ceil(width / 8) }, (_, i) =>
      row.slice(i * 8, i * 8 + 8).reduce((byte, v, bit) => byte | (v > 127 ? 128 >> bit : 0), 0),
    );
  return Uint8Array.from(rows.flatMap((row) => [0, ...pack(row)]));
}

interface Png {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly colour: number;
  readonly rows: Uint8Array;
  readonly more?: readonly { readonly type: string; readonly data: Uint8Array }[];
}

function pngOf({ width, height, depth, colour, rows, more = [] }: Png): Uint8Array {
  const header = new Uint8Array(13);
  new DataView(header.buffer).setUint32(0, width);
  new DataView(header.buffer).setUint32(4, height);
  header.set([depth, colour, 0, 0, 0], 8);
  const chunks = [
    chunk('IHDR', header),
    ...more.map(({ type, data }) => chunk(type, data)),
    chunk('IDAT', zlibSync(rows)),
    chunk('IEND', new Uint8Array()),
  ];
  return Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, ...chunks.flatMap((bytes) => [...bytes])]);
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set(
    Array.from(type, (char) => char.charCodeAt(0)),
    4,
  );
  bytes.set(data, 8);
  view.setUint32(8 + data.length, crc(bytes.subarray(4, 8 + data.length)));
  return bytes;
}

function crc(bytes: Uint8Array): number {
  let value = ~0;
  for (const byte of bytes) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? 0xedb88320 : 0);
  }
  return ~value >>> 0;
}

/** The drawing in black on white, as libvips writes it: baseline and progressive. */
export const jpegs: Readonly<Record<string, string>> = {
  baseline:
    '/9j/2wBDAAMCAgMCAgMDAwMEAwMEBQgFBQQEBQoHBwYIDAoMDAsKCwsNDhIQDQ4RDgsLEBYQERMUFRUVDA8XGBYUGBIUFRT/2wBDAQMEBAUEBQ' +
    'kFBQkUDQsNFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBT/wAARCAAgACgDASIAAhEBAxEB/8QAGAAA' +
    'AwEBAAAAAAAAAAAAAAAAAAYICQf/xAAsEAABAwMEAQMBCQAAAAAAAAACAQMEBQYHAAgREhMJFCExFhcZIiMyVpXU/8QAFAEBAAAAAAAAAAAAAA' +
    'AAAAAAAP/EABQRAQAAAAAAAAAAAAAAAAAAAAD/2gAMAwEAAhEDEQA/ANU9RBkL1dsPY1v+5bQqdt3w/UqBU5NKlOxIEMmTdYdJoyBSliqipAqo' +
    'qoi8ccon01b+uaVbbJh6v1WbU6niix6jUprxyZUyXbkN1590yUjcMybVSIiVVUlVVVVVV0El/jV4Q/i2QP66D/s1T+1/dBau7OwKhd9oU+sU6m' +
    'wqm5SnGq2y008roNNOqSI264nXq8Cc8ovKL8fRVzg9UakY/wDvHsDBWI8c2fTLznTWJM+RQqXChSPPIXwQoSvNkHTv5CcMHUROCimhcc600264' +
    'Gt3bbiOhWNbsaOIQmQKfOZYVoqlNUBR6W4ikS9nCHnhSLoKAAr1AUQOl6NGjQGlTKuTKHhvHFx3tcj/t6LQ4Tk2R1MBN3qn5Wm+5CKuuF1bAVJ' +
    'OxmI88rpr1yrcpt1oe6HHCWTclcuCiUUprU2R9npYRzleNC6tO923BNrsQudVH97TZc8joIA9LnH9c3E7gr/3N3wXuZbE1+JTerpkAz32/1kb5' +
    'eUxajxXAZBtxDHpIHqXLPxqppKwviG3cC4vt+wrVbkN0Kisk0wst5XXnCIycccMvhFI3DM1QUQUUlQREUQUddAaNGjQf/9k=',
  progressive:
    '/9j/2wBDAAMCAgMCAgMDAwMEAwMEBQgFBQQEBQoHBwYIDAoMDAsKCwsNDhIQDQ4RDgsLEBYQERMUFRUVDA8XGBYUGBIUFRT/2wBDAQMEBAUEBQ' +
    'kFBQkUDQsNFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBT/wgARCAAgACgDASIAAhEBAxEB/8QAGAAA' +
    'AwEBAAAAAAAAAAAAAAAAAAUIBwb/xAAUAQEAAAAAAAAAAAAAAAAAAAAA/9oADAMBAAIQAxAAAAGqcQ2/mjJdPnCmjpQAVNeVJ/qpK6AA/8QAHB' +
    'AAAgIDAQEAAAAAAAAAAAAABQYDBAAHEBUX/9oACAEBAAEFAsIbdDjb/wBqCYrtFVsoclWQ88u0Yh/oroGutiOFScAYdq4fOxMHWVdgaBwURXAi' +
    '+f/EABQRAQAAAAAAAAAAAAAAAAAAACD/2gAIAQMBAT8BX//EABQRAQAAAAAAAAAAAAAAAAAAACD/2gAIAQIBAT8BX//EAC8QAAEDAQUFBgcAAA' +
    'AAAAAAAAECAwQRAAUSIUEQFCIxYQYTIFFScTRCYoGRk9L/2gAIAQEABj8CtJiORpxcYcU0opQilQaeq3wt4frR/dnJcRt5ttDhaIeABrQHQnz2' +
    'rccuqC44s4lLVHQST58rQLiui7obcxawpamGkIVVWSEVHvXP6bMQY6U8A41gU7xeqj77ZE2ScLLCCtXXoOp5Wn9pp3EoLKW8/nIzpnySk0ofV0' +
    '8G5SX5DLOMLVu6sOKmhyOWv2Fo8CKFBhkUGI1J1J/O3//EAB0QAQEBAAIDAQEAAAAAAAAAAAERIQAQMUFRIGH/2gAIAQEAAT8h47Z5ZqSU5TrF' +
    'DsUMqPQh7dOVWZql0r7592XUCkS0j6d4WIC30jznUfWEDA7wOoEGPFEKQF1Q4x2N0h/dQI0II/jUxwFbSgNJE8p64uIeulUP1S5m4Bnf/9oADA' +
    'MBAAIAAwAAABChDyjTz//EABQRAQAAAAAAAAAAAAAAAAAAACD/2gAIAQMBAT8QX//EABQRAQAAAAAAAAAAAAAAAAAAACD/2gAIAQIBAT8QX//E' +
    'ABoQAQEAAwEBAAAAAAAAAAAAAAERACExEEH/2gAIAQEAAT8QxLy9x7VKVFBkoc86I2Wtn4BaG0aOuL4v9Wa5WKCqVVVza43rV/BxwgYuKNNSyQ' +
    'lNhGE6I85GRTbqiwhtlc+Cz81lIop2hp6D0E7p9OMH1lwgQjbUIQq4AKAAef/Z',
};

/** Returns a JPEG with an Exif segment that holds the tag Orientation. */
export function turnedJpeg(jpeg: Uint8Array, orientation: number, littleEndian: boolean): Uint8Array {
  const tiff = new DataView(new ArrayBuffer(26));
  tiff.setUint16(0, littleEndian ? 0x4949 : 0x4d4d);
  tiff.setUint16(2, 42, littleEndian);
  tiff.setUint32(4, 8, littleEndian);
  tiff.setUint16(8, 1, littleEndian);
  [0x0112, 3].forEach((word, i) => {
    tiff.setUint16(10 + 2 * i, word, littleEndian);
  });
  tiff.setUint32(14, 1, littleEndian);
  tiff.setUint16(18, orientation, littleEndian);
  const exif = Array.from('Exif\0\0', (char) => char.charCodeAt(0));
  const segment = [0xff, 0xe1, 0, 2 + exif.length + 26, ...exif, ...new Uint8Array(tiff.buffer)];
  return Uint8Array.from([...jpeg.subarray(0, 2), ...segment, ...jpeg.subarray(2)]);
}

/** Returns a JPEG that ends after its frame header. */
function jpegHeader(width: number, height: number): Uint8Array {
  const size = [height >> 8, height & 255, width >> 8, width & 255];
  return Uint8Array.from([0xff, 0xd8, 0xff, 0xc0, 0, 11, 8, ...size, 1, 1, 0x11, 0]);
}

const whole = seven({ format: 'grey' });
const flipped = whole.with(60, (whole[60] ?? 0) ^ 255);
const damagedPng = 'png: expected a whole picture, got a damaged or truncated one';
const damagedJpeg = 'jpeg: expected a whole picture, got a damaged or truncated one';
const bomb = { width: 8, height: 8, depth: 8, colour: 0 };

interface Damaged {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly type?: string;
  readonly status: number;
  readonly error: string;
}

export const damagedPictures: readonly Damaged[] = [
  {
    name: 'a PNG of 30,000 × 30,000 pixels',
    bytes: pngOf({ width: 30_000, height: 30_000, depth: 8, colour: 6, rows: new Uint8Array(8) }),
    status: 413,
    error: 'png: expected at most 12582912 pixels, got 30000 × 30000',
  },
  {
    name: 'a JPEG of 30,000 × 30,000 pixels',
    bytes: jpegHeader(30_000, 30_000),
    status: 413,
    error: 'jpeg: expected at most 12582912 pixels, got 30000 × 30000',
  },
  {
    name: 'a PNG of no pixels',
    bytes: pngOf({ ...bomb, width: 0, rows: new Uint8Array(8) }),
    status: 400,
    error: damagedPng,
  },
  { name: 'a truncated PNG', bytes: whole.subarray(0, -20), status: 400, error: damagedPng },
  { name: 'only the signature of a PNG', bytes: whole.subarray(0, 8), status: 400, error: damagedPng },
  { name: 'a PNG with a wrong checksum', bytes: flipped, status: 400, error: damagedPng },
  {
    name: 'a PNG with too few rows',
    bytes: pngOf({ ...bomb, rows: new Uint8Array(18) }),
    status: 400,
    error: damagedPng,
  },
  {
    name: 'a PNG with too many rows',
    bytes: pngOf({ ...bomb, rows: new Uint8Array(90) }),
    status: 400,
    error: damagedPng,
  },
  {
    name: 'a PNG with a filter that is none',
    bytes: pngOf({ ...bomb, rows: new Uint8Array(72).fill(5) }),
    status: 400,
    error: damagedPng,
  },
  {
    name: 'a PNG of a colour type that is none',
    bytes: pngOf({ ...bomb, colour: 5, rows: new Uint8Array(72) }),
    status: 400,
    error: damagedPng,
  },
  {
    name: 'a PNG with a palette that is missing',
    bytes: pngOf({ ...bomb, colour: 3, rows: new Uint8Array(72) }),
    status: 400,
    error: damagedPng,
  },
  {
    name: 'a PNG that inflates to 64 MB',
    bytes: pngOf({ ...bomb, rows: new Uint8Array(2 ** 26) }),
    status: 400,
    error: damagedPng,
  },
  { name: 'a truncated JPEG', bytes: jpegHeader(28, 28), status: 400, error: damagedJpeg },
  { name: 'only the first bytes of a JPEG', bytes: jpegHeader(28, 28).subarray(0, 4), status: 400, error: damagedJpeg },
  {
    name: 'text declared a picture',
    bytes: new TextEncoder().encode('seven'),
    type: 'image/png',
    status: 415,
    error: 'picture: expected a PNG or JPEG file, got another format',
  },
  {
    name: 'another type of content',
    bytes: new TextEncoder().encode('seven'),
    type: 'text/plain',
    status: 415,
    error:
      'content-type: expected a picture (image/png, image/jpeg), application/octet-stream or application/json, got "text/plain"',
  },
  {
    name: 'raw pixels of another size',
    bytes: new Uint8Array(785),
    type: 'application/octet-stream',
    status: 400,
    error: 'body: expected a multiple of 784 bytes, got 785',
  },
  {
    name: 'nothing',
    bytes: new Uint8Array(),
    type: 'application/octet-stream',
    status: 400,
    error: 'body: expected a multiple of 784 bytes, got 0',
  },
];
