import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  arrayDataset,
  encodeNpy,
  encodeNpz,
  parseNpy,
  parseNpyOrTexts,
  parseNpz,
  readNpy,
  readNpz,
} from '../../../training/data/index.ts';
import { UserError } from '../../../training/files/errors.ts';
import { npy } from './npy-file.ts';

// np.save(f, np.arange(3, dtype='<f4')) of NumPy 2.4.6.
const SAVED = Buffer.from(
  'k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDMsKSwgfSAgICAgICAgICAgICAgICAgICAg' +
    'ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAACAPwAAAEA=',
  'base64',
);

// np.savez_compressed(f, x=np.array([[1, 2], [3, 4]], 'u1'), y=np.array([0, 1], 'i8')) of NumPy 2.4.6.
const SAVEZ = Buffer.from(
  'UEsDBC0AAAAIAAAAIQCCX1jr//////////8FABQAeC5ucHkBABAAhAAAAAAAAABKAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loF5Taqiuo6Cell9U' +
    'UpSYF59flJIKEndLzClOBYoXZyQWpAL5GkY6CkaaOgq1CmQDLkYmZhYAUEsDBC0AAAAIAAAAIQB+avvJ//////////8FABQAeS5ucHkBABAAkAAAAAAA' +
    'AABJAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loG6TaaGuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GkY6mjoKtQoUAC4GKGCE0gBQSwEC' +
    'LQMtAAAACAAAACEAgl9Y60oAAACEAAAABQAAAAAAAAAAAAAAgAEAAAAAeC5ucHlQSwECLQMtAAAACAAAACEAfmr7yUkAAACQAAAABQAAAAAAAAAAAAAA' +
    'gAGBAAAAeS5ucHlQSwUGAAAAAAIAAgBmAAAAAQEAAAAA',
  'base64',
);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'npy-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function saved(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}

describe('a .npy file', () => {
  it("is read as NumPy's own is written", async () => {
    const path = await saved('saved.npy', SAVED);
    expect(await readNpy(path)).toEqual({ where: path, shape: [3], data: Float32Array.of(0, 1, 2) });
  });

  it.each([
    ["'|b1'", Uint8Array.of(0, 1)],
    ["'|u1'", Uint8Array.of(0, 255)],
    ["'|i1'", Int8Array.of(-1, 127)],
    ["'<u2'", Uint16Array.of(0, 65535)],
    ["'<i2'", Int16Array.of(-1, 1)],
    ["'<u4'", Uint32Array.of(0, 4294967295)],
    ["'<i4'", Int32Array.of(-1, 1)],
    ["'<u8'", BigUint64Array.of(0n, 1n)],
    ["'<i8'", BigInt64Array.of(-1n, 1n)],
    ["'<f4'", Float32Array.of(0.5, -1)],
    ["'<f8'", Float64Array.of(0.1, -1)],
  ])('may hold %s, wherever its bytes lie', (descr, data) => {
    const bytes = npy(descr, '(2, 1)', data);
    expect(parseNpy(bytes, 'f')).toEqual({ where: 'f', shape: [2, 1], data });
    expect(parseNpy(Buffer.concat([Uint8Array.of(0), bytes]).subarray(1), 'f').data).toEqual(data);
  });

  it.each([1, 2, 3])('may be of version %i', (version) => {
    expect(parseNpy(npy("'|u1'", '(1,)', Uint8Array.of(7), { version }), 'f').data).toEqual(Uint8Array.of(7));
  });

  it('may be a scalar or empty', () => {
    expect(parseNpy(npy("'|u1'", '()', Uint8Array.of(7)), 'f').shape).toEqual([]);
    expect(parseNpy(npy("'|u1'", '(0, 3)', new Uint8Array()), 'f').shape).toEqual([0, 3]);
  });

  it.each<[string, ArrayBufferView, ArrayBufferView]>([
    ["'>f4'", Uint8Array.of(0x3f, 0xc0, 0, 0, 0xc0, 0, 0, 0), Float32Array.of(1.5, -2)],
    ["'>i8'", Uint8Array.of(0, 0, 0, 0, 0, 0, 1, 2, ...new Uint8Array(8).fill(255)), BigInt64Array.of(258n, -1n)],
    ["'>u2'", Uint8Array.of(1, 2, 0, 3), Uint16Array.of(258, 3)],
    ["'>f2'", Uint8Array.of(0x3e, 0, 0xc0, 0), Float32Array.of(1.5, -2)],
  ])('may hold big-endian %s', (descr, bytes, data) => {
    expect(parseNpy(npy(descr, '(2,)', bytes), 'f').data).toEqual(data);
  });

  it('may hold half precision, of every kind of number', () => {
    const halves = Uint16Array.of(0x3c00, 0xc000, 0x0000, 0x7bff, 0x0001, 0x8400, 0x3555, 0x7c00, 0xfc00, 0x7e00);
    const { data } = parseNpy(npy("'<f2'", '(10,)', halves), 'f');
    expect(data).toEqual(
      Float32Array.of(1, -2, 0, 65504, 2 ** -24, -(2 ** -14), 0.333251953125, Infinity, -Infinity, NaN),
    );
  });

  it('has the replacement character for a code that no character has', () => {
    const codes = Uint32Array.of(0x10ffff, 0x110000);
    expect(parseNpyOrTexts(npy("'<U1'", '(2,)', codes), 'f').data).toEqual(['\u{10ffff}', '\u{fffd}']);
  });

  it.each([
    ["'<U3'", 4, 'little'],
    ["'>U3'", 4, 'big'],
    ["'|S3'", 1, 'little'],
  ])('may hold texts as %s', (descr, unit, order) => {
    const codes = ['cat', 'é', ''].flatMap((text) => Array.from({ length: 3 }, (_, i) => text.codePointAt(i) ?? 0));
    const bytes = Buffer.alloc(9 * unit);
    codes.forEach((code, i) => {
      if (order === 'big') bytes.writeUInt32BE(code, 4 * i);
      else if (unit === 4) bytes.writeUInt32LE(code, 4 * i);
    });
    if (unit === 1) bytes.write('cat\u00e9', 'utf8');
    expect(parseNpyOrTexts(npy(descr, '(3,)', bytes), 'f').data).toEqual(['cat', 'é', '']);
    expect(() => parseNpy(npy(descr, '(3,)', bytes), 'f')).toThrow(new UserError('f: expected numbers, got texts'));
  });

  it('may be in Fortran order', () => {
    const columns = Float32Array.of(
      0,
      12,
      4,
      16,
      8,
      20,
      1,
      13,
      5,
      17,
      9,
      21,
      2,
      14,
      6,
      18,
      10,
      22,
      3,
      15,
      7,
      19,
      11,
      23,
    );
    const rows = Float32Array.from({ length: 24 }, (_, i) => i);
    expect(parseNpy(npy("'<f4'", '(2, 3, 4)', columns, { order: 'True' }), 'f')).toEqual({
      where: 'f',
      shape: [2, 3, 4],
      data: rows,
    });
    const texts = npy("'|S1'", '(2, 2)', Buffer.from('acbd'), { order: 'True' });
    expect(parseNpyOrTexts(texts, 'f').data).toEqual(['a', 'b', 'c', 'd']);
    expect(parseNpy(npy("'|u1'", '(0, 3)', new Uint8Array(), { order: 'True' }), 'f').data).toEqual(new Uint8Array());
  });

  const dtypes =
    'f: expected numbers or texts (|b1, |u1, |i1, <u2, <i2, <u4, <i4, <u8, <i8, <f4, <f8, <f2, <U…, |S…, or > for <), got';
  it.each([
    ['nothing', new Uint8Array(), 'f: expected a NumPy array file of version 1 to 3, got something else'],
    [
      'a version to come',
      npy("'|u1'", '(1,)', Uint8Array.of(1), { version: 4 }),
      'f: expected a NumPy array file of version 1 to 3, got something else',
    ],
    ['a header cut short', SAVED.subarray(0, 100), 'f: expected 128 bytes of header, got 100'],
    ['data cut short', SAVED.subarray(0, -1), 'f: expected 12 bytes for <f4 [3], got 11'],
    ['trailing bytes', Buffer.concat([SAVED, Uint8Array.of(0)]), 'f: expected 12 bytes for <f4 [3], got 13'],
    [
      'a size beyond all memory',
      npy("'<f8'", '(4294967296, 4294967296)', Uint8Array.of(1)),
      'f: expected 147573952589676410000 bytes for <f8 [4294967296, 4294967296], got 1',
    ],
    ['quadruple precision', npy("'<f16'", '(1,)', new Uint8Array(16)), `${dtypes} "<f16"`],
    ['texts without a sign', npy("'<U0'", '(4294967296,)', new Uint8Array()), `${dtypes} "<U0"`],
    ['texts cut short', npy("'<U2'", '(2,)', new Uint8Array(12)), 'f: expected 16 bytes for <U2 [2], got 12'],
    ['Python objects', npy("'|O'", '(1,)', Uint8Array.of(1)), `${dtypes} "|O"`],
    [
      'records',
      npy("[('a', '<f4')]", '(1,)', Float32Array.of(1)),
      `f: expected an array of plain numbers or texts, got "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (…"`,
    ],
  ])('is refused with %s', (_name, bytes, message) => {
    expect(() => parseNpy(bytes, 'f')).toThrow(new UserError(message));
  });
});

describe('a .npz file', () => {
  it("is read as NumPy's own is written", async () => {
    const [y, x] = await readNpz(await saved('saved.npz', SAVEZ), ['y', 'x']);
    expect(x).toMatchObject({ shape: [2, 2], data: Uint8Array.of(1, 2, 3, 4) });
    expect(y).toMatchObject({ where: `${folder}/saved.npz: y`, shape: [2], data: BigInt64Array.of(0n, 1n) });
  });

  it.each([
    ['an array missing', SAVEZ, 'z', ': expected an array "z", got "x", "y"'],
    ['something else', Buffer.from('hello'), 'x', ': expected a ZIP archive, got something else'],
    ['its end missing', SAVEZ.subarray(0, 200), 'x', ': expected a ZIP archive, got something else'],
    [
      'a size that deflate cannot reach',
      Buffer.from(SAVEZ.toString('latin1').replaceAll('\x84\0\0\0\x05', '\0\0\0\x40\x05'), 'latin1'),
      'x',
      ': "x.npy": expected 1073741824 bytes, got 132',
    ],
    [
      'a file that is no array',
      Buffer.from(zipSync({ 'x.npy': Uint8Array.of(1) })),
      'x',
      ': x: expected a NumPy array file of version 1 to 3, got something else',
    ],
  ])('is refused with %s', async (_name, bytes, name, message) => {
    const path = await saved('bad.npz', bytes);
    await expect(readNpz(path, [name])).rejects.toThrow(new UserError(path + message));
  });
});

describe('a data set from two arrays', () => {
  const array = (descr: string, shape: string, data: ArrayBufferView) =>
    parseNpy(npy(`'${descr}'`, shape, data), descr);
  const pixels = array('|u1', '(2, 1, 2)', Uint8Array.of(1, 2, 3, 4));

  const two = array('<i4', '(2,)', Int32Array.of(0, 1));

  it('has images of one channel, and classes in the order of their numbers', () => {
    expect(arrayDataset(pixels, array('<i8', '(2,)', BigInt64Array.of(10n, 9n)))).toEqual({
      task: 'classification',
      inputs: Uint8Array.of(1, 2, 3, 4),
      inputShape: [1, 1, 2],
      count: 2,
      places: Int32Array.of(0, 1),
      labels: Int32Array.of(1, 0),
      classes: ['9', '10'],
    });
  });

  it('has a class by its number where rows of one number are all 1', () => {
    const ones = array('<i4', '(2, 1)', Int32Array.of(1, 1));
    expect(arrayDataset(pixels, ones)).toMatchObject({ classes: ['1'], labels: Int32Array.of(0, 0) });
  });

  it('has float32 inputs and values to predict', () => {
    const inputs = array('<f8', '(2, 3)', Float64Array.of(0.1, 0, 1, 2, 3, 4));
    expect(arrayDataset(inputs, array('<f8', '(2, 1)', Float64Array.of(0.25, 3)))).toEqual({
      task: 'regression',
      inputs: Float32Array.of(0.1, 0, 1, 2, 3, 4),
      inputShape: [3],
      count: 2,
      places: Int32Array.of(0, 1),
      values: Float32Array.of(0.25, 3),
    });
  });

  it('takes whole numbers as values when told to, and fractions as classes', () => {
    const whole = array('<i4', '(2,)', Int32Array.of(5, -5));
    expect(arrayDataset(pixels, whole, { task: 'regression' })).toMatchObject({ values: Float32Array.of(5, -5) });
    const fractions = array('<f4', '(2,)', Float32Array.of(1.5, -0.5));
    expect(arrayDataset(pixels, fractions, { task: 'classification' })).toMatchObject({ classes: ['-0.5', '1.5'] });
  });

  it('has classes of texts, and those of a row with one 1', () => {
    const texts = parseNpyOrTexts(npy("'|S3'", '(2,)', Buffer.from('dogcat')), 'y');
    expect(arrayDataset(pixels, texts)).toMatchObject({ classes: ['cat', 'dog'], labels: Int32Array.of(1, 0) });
    const pairs = array('<i4', '(2, 2)', Int32Array.of(0, 1, 1, 0));
    expect(arrayDataset(pixels, pairs)).toMatchObject({ classes: ['0', '1'], labels: Int32Array.of(1, 0) });
    const rows = array('<f4', '(2, 3)', Float32Array.of(0, 0, 1, 1, 0, 0));
    expect(arrayDataset(pixels, rows)).toMatchObject({
      task: 'classification',
      classes: ['0', '1', '2'],
      labels: Int32Array.of(2, 0),
    });
  });

  it.each([
    [[5, 4, 3], undefined, [3, 5, 4]],
    [[5, 4, 1], undefined, [1, 5, 4]],
    [[6, 5, 4], undefined, [4, 6, 5]],
    [[3, 5, 4], undefined, [3, 5, 4]],
    [[3, 5, 1], undefined, [3, 5, 1]],
    [[5, 2, 3], undefined, [5, 2, 3]],
    [[4, 5, 4], undefined, [4, 5, 4]],
    [[5, 4, 4], undefined, [5, 4, 4]],
    [[5, 4, 2], undefined, [5, 4, 2]],
    [[5, 4, 2], 'NHWC', [2, 5, 4]],
    [[5, 4, 3], 'NCHW', [5, 4, 3]],
  ] as const)('takes images %j with the layout %s as %j', (shape, layout, inputShape) => {
    const [rows, columns, channels] = shape;
    const size = rows * columns * channels;
    const bytes = Uint8Array.from({ length: 2 * size }, (_, i) => (i * 7) % 251);
    const dataset = arrayDataset(array('|u1', `(2, ${shape.join(', ')})`, bytes), two, { layout });
    expect(dataset.inputShape).toEqual(inputShape);
    const moved = (i: number) => {
      const [image, rest] = [Math.floor(i / size) * size, i % size];
      const [channel, place] = [Math.floor(rest / (rows * columns)), rest % (rows * columns)];
      return bytes[image + place * channels + channel];
    };
    const stays = inputShape.join() === shape.join();
    expect([...dataset.inputs]).toEqual(stays ? [...bytes] : Array.from(bytes, (_, i) => moved(i)));
  });

  it.each([
    ['inputs of one dimension', two, two, '<i4: expected at least 2 dimensions (samples first), got [2]'],
    ['no samples', array('<f4', '(0, 3)', new Float32Array()), two, '<f4: expected samples, got none'],
    [
      'too few labels',
      pixels,
      array('<i4', '(1,)', Int32Array.of(1)),
      '<i4: expected shape [2], one for each sample, got [1]',
    ],
    [
      'labels in a table',
      pixels,
      array('<i4', '(2, 2)', Int32Array.of(1, 1, 0, 1)),
      '<i4: expected shape [2], one for each sample, got [2, 2]',
    ],
    [
      'a row without a 1 below one that has it',
      pixels,
      array('<i4', '(2, 2)', Int32Array.of(0, 1, 0, 0)),
      '<i4: expected shape [2], one for each sample, got [2, 2]',
    ],
    [
      'rows with one 1 that have another axis',
      pixels,
      array('<i4', '(2, 2, 1)', Int32Array.of(1, 0, 0, 1)),
      '<i4: expected shape [2], one for each sample, got [2, 2, 1]',
    ],
    [
      'an infinite input',
      array('<f4', '(2, 1)', Float32Array.of(1, -Infinity)),
      two,
      '<f4: element 1: expected a finite float32, got -Infinity',
    ],
    [
      'an input beyond float32',
      array('<f8', '(2, 1)', Float64Array.of(1e39, 0)),
      two,
      '<f8: element 0: expected a finite float32, got 1e+39',
    ],
    [
      'a value that is not a number',
      pixels,
      array('<f4', '(2,)', Float32Array.of(1, NaN)),
      '<f4: element 1: expected a finite float32, got NaN',
    ],
    [
      'too many classes',
      array('|u1', '(1001, 1)', new Uint8Array(1001)),
      array(
        '<i4',
        '(1001,)',
        Int32Array.from({ length: 1001 }, (_, i) => i),
      ),
      '<i4: expected at most 1000 classes, got more',
    ],
  ])('is refused with %s', (_name, inputs, labels, message) => {
    expect(() => arrayDataset(inputs, labels)).toThrow(new UserError(message));
  });
});

describe('an array that is written', () => {
  it("has the bytes of NumPy's own", () => {
    expect(Buffer.from(encodeNpy({ shape: [3], data: Float32Array.of(0, 1, 2) }))).toEqual(SAVED);
  });

  it.each([
    Uint8Array.of(0, 255),
    Int8Array.of(-1, 127),
    Uint16Array.of(0, 65535),
    Int16Array.of(-1, 1),
    Uint32Array.of(0, 4294967295),
    Int32Array.of(-1, 1),
    BigUint64Array.of(0n, 1n),
    BigInt64Array.of(-1n, 1n),
    Float32Array.of(0.5, NaN),
    Float64Array.of(0.1, -1),
  ])('is read back, whatever it holds: %o', (data) => {
    for (const shape of [[2], [1, 2, 1]]) {
      expect(parseNpy(encodeNpy({ shape, data }), 'f')).toEqual({ where: 'f', shape, data });
    }
    expect(parseNpy(encodeNpy({ shape: [], data: data.slice(0, 1) }), 'f').shape).toEqual([]);
  });

  it('begins its numbers at a multiple of 64 bytes', () => {
    for (const rank of [1, 10, 30]) {
      const bytes = encodeNpy({ shape: Array.from({ length: rank }, () => 1), data: Float64Array.of(1) });
      expect((bytes.length - 8) % 64).toBe(0);
    }
  });

  it('goes into an archive, the same bytes each time', () => {
    const arrays = {
      x: { shape: [2, 2], data: Uint8Array.of(1, 2, 3, 4) },
      y: { shape: [2], data: Float32Array.of(0.5, 1) },
    };
    const bytes = encodeNpz(arrays);
    expect(encodeNpz(arrays)).toEqual(bytes);
    expect(parseNpz(bytes, 'f', ['y', 'x'])).toEqual([
      { where: 'f: y', ...arrays.y },
      { where: 'f: x', ...arrays.x },
    ]);
  });
});
