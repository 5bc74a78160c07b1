import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadModel } from '../../training/checkpoint/index.ts';
import { readSafetensors, writeSafetensors, type Tensor } from '../../training/checkpoint/checkpoint.ts';
import { elementCount } from '../../training/arrays/index.ts';
import { UserError } from '../../training/files/errors.ts';
import { parseSafetensors, serializeSafetensors } from '../../training/files/safetensors.ts';

const f32 = (shape: number[], values: number[]): Tensor => ({ dtype: 'F32', shape, data: Float32Array.from(values) });

/** Makes a file with this header text (or bytes) and this many bytes of data. */
function file(header: string | Uint8Array, dataLength = 0, announced?: bigint): Uint8Array {
  const json = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(announced ?? BigInt(json.length));
  return Buffer.concat([length, json, new Uint8Array(dataLength)]);
}

const entry = (dtype: string, shape: unknown, offsets: unknown) =>
  JSON.stringify({ dtype, shape, data_offsets: offsets });

/** Pieces of names that would break a careless parser or writer of JSON, or that need escapes. */
const PIECES = ['a', '1', '.', ' ', '{', '}', ':', '\u007f', 'é', '\u{1F600}', '\uFFFF', '__proto__'];
const ESCAPED = ['"', '\\', '\n', '\0'];

describe('safetensors bytes', () => {
  // The expected bytes are those of the reference implementation's own tests (safetensors/src/tensor.rs, v0.6.2).
  it.each([
    {
      name: 'a tensor whose header needs no padding',
      tensors: { 'attn.0': f32([1, 2, 3], [0, 1, 2, 3, 4, 5]) },
      header: '{"attn.0":{"dtype":"F32","shape":[1,2,3],"data_offsets":[0,24]}}',
    },
    {
      name: 'a tensor whose header is padded to a multiple of 8',
      tensors: { attn0: f32([1, 1, 2, 3], [0, 1, 2, 3, 4, 5]) },
      header: '{"attn0":{"dtype":"F32","shape":[1,1,2,3],"data_offsets":[0,24]}}       ',
    },
    { name: 'nothing at all', tensors: {}, header: '{}      ' },
    {
      name: 'metadata only',
      tensors: {},
      metadata: { framework: 'pt' },
      header: '{"__metadata__":{"framework":"pt"}}     ',
    },
  ])("are the reference implementation's for $name", ({ tensors, metadata, header }) => {
    const bytes = Buffer.from(serializeSafetensors(new Map<string, Tensor>(Object.entries(tensors)), metadata));
    const data = Object.values(tensors).map(({ data }) => Buffer.from(data.buffer));
    expect(bytes.toString('latin1')).toBe(Buffer.concat([file(header), ...data]).toString('latin1'));
  });

  it('order tensors by dtype and then by the bytes of the name, however they are listed', () => {
    const tensors: [string, Tensor][] = [
      ['\u{1F600}', f32([0], [])],
      ['￮', f32([0], [])],
      ['10', f32([0], [])],
      ['9', f32([0], [])],
      ['bool', { dtype: 'BOOL', shape: [1], data: Uint8Array.of(1) }],
      ['u8', { dtype: 'U8', shape: [1], data: Uint8Array.of(255) }],
      ['i32', { dtype: 'I32', shape: [1], data: Int32Array.of(-1) }],
      ['f64', { dtype: 'F64', shape: [], data: Float64Array.of(0.1) }],
      ['i64', { dtype: 'I64', shape: [], data: BigInt64Array.of(-1n) }],
    ];
    const bytes = serializeSafetensors(new Map(tensors), { b: '2', a: '1' });
    expect(serializeSafetensors(new Map(tensors.toReversed()), { a: '1', b: '2' })).toEqual(bytes);
    const names = [...parseSafetensors(bytes, 'file').tensors.keys()].filter((name) => !/^\d/.test(name));
    expect(names).toEqual(['i64', 'f64', '￮', '\u{1F600}', 'i32', 'u8', 'bool']);
    const text = Buffer.from(bytes).toString('latin1');
    expect(text.indexOf('"10"')).toBeLessThan(text.indexOf('"9"'));
    expect(text.indexOf('"i64"')).toBeLessThan(text.indexOf('"10"'));
  });

  it('survive a round trip, for any names, shapes, metadata and position in memory', () => {
    const dimensions = fc.array(fc.nat(3), { maxLength: 3 });
    const tensor = fc.tuple(fc.constantFrom('F32', 'F64', 'I32', 'U8', 'BOOL', 'I64'), dimensions).map(filledTensor);
    const texts = fc.string({ unit: fc.constantFrom(...PIECES, ...ESCAPED), maxLength: 6 });
    const key = fc.string({ unit: fc.constantFrom(...PIECES), maxLength: 6 });
    const names = key.filter((name) => name !== '__metadata__');
    const tensors = fc.array(fc.tuple(names, tensor), { maxLength: 5 });
    const metadata = fc.dictionary(key, texts, { noNullPrototype: true });
    fc.assert(
      fc.property(tensors, metadata, fc.nat(8), (list, texts, shift) => {
        const written = new Map(list);
        const bytes = serializeSafetensors(written, texts);
        const shifted = new Uint8Array(bytes.length + shift);
        shifted.set(bytes, shift);
        const read = parseSafetensors(shifted.subarray(shift), 'file');
        expect(new Map(read.tensors)).toEqual(written);
        expect(new Map(Object.entries(read.metadata))).toEqual(new Map(Object.entries(texts)));
      }),
    );
  });

  it('are not written for a name that could not be read back', () => {
    expect(() => serializeSafetensors(new Map([['a"b', f32([0], [])]]))).toThrow(
      new Error(String.raw`internal: "a\"b" cannot be a name in a safetensors file`),
    );
  });

  it('are views of the file where it is aligned', () => {
    const bytes = serializeSafetensors(new Map([['w', f32([2], [1, 2])]]));
    const aligned = new Uint8Array(bytes);
    expect(parseSafetensors(aligned, 'file').tensors.get('w')?.data.buffer).toBe(aligned.buffer);
  });

  it('never cause anything but one line for the user, whatever byte is damaged', () => {
    const bytes = serializeSafetensors(new Map([['w', f32([2], [1, 2])]]), { a: 'b' });
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), fc.nat(bytes.length), (position, byte, length) => {
        const damaged = new Uint8Array(bytes);
        damaged[position] = byte;
        for (const attempt of [damaged, damaged.subarray(0, length)]) {
          try {
            parseSafetensors(attempt, 'file');
          } catch (error) {
            expect(error).toBeInstanceOf(UserError);
            expect((error as Error).message).toMatch(/^file: .*expected .*, got .*$/);
          }
        }
      }),
      { numRuns: 1000 },
    );
  });

  const twice =
    '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}';
  it.each<[string, Uint8Array, string]>([
    ['fewer than 8 bytes', new Uint8Array(7), 'm: expected a safetensors file of at least 8 bytes, got 7'],
    [
      'a header past the end',
      file('{}', 0, 3n),
      'm: expected a safetensors file with a header of at most 2 bytes, got 3',
    ],
    [
      'an absurd header length',
      file('{}', 0, 2n ** 64n - 1n),
      'm: expected a safetensors file with a header of at most 2 bytes, got 18446744073709551615',
    ],
    ['no header', file('', 8), 'm: header: expected a JSON object, starting with {, got nothing'],
    ['a header that is an array', file('[]'), 'm: header: expected a JSON object, starting with {, got byte 91'],
    ['a header after a space', file(' {}'), 'm: header: expected a JSON object, starting with {, got byte 32'],
    ['broken JSON', file('{"a":'), 'm: header: expected JSON in UTF-8, got something else'],
    [
      'broken UTF-8',
      file(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x30, 0x7d)),
      'm: header: expected JSON in UTF-8, got something else',
    ],
    ['a name that occurs twice', file(twice, 2), 'm: header: expected different names, got "a" twice'],
    [
      'a name that V8 would misread',
      file(String.raw`{"a\"":${entry('U8', [0], [0, 0])}}`),
      String.raw`m: header: expected names without escapes, got "a\\\""`,
    ],
    [
      'a field that occurs twice',
      file('{"w":{"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]}}'),
      'm: header: expected different names, got "dtype" twice',
    ],
    ['metadata that is no object', file('{"__metadata__":[]}'), 'm: __metadata__: expected an object, got []'],
    [
      'metadata that is no string',
      file('{"__metadata__":{"epoch":3}}'),
      'm: __metadata__ "epoch": expected a string, got 3',
    ],
    ['an entry that is no object', file('{"w":null}'), 'm: tensor "w": expected an object, got null'],
    [
      'an unknown field',
      file('{"w":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"x":1}}'),
      'm: tensor "w": expected dtype, shape and data_offsets only, got "x"',
    ],
    [
      'eight bits of float',
      file(`{"w":${entry('F8_E4M3', [1], [0, 1])}}`, 1),
      'm: tensor "w": expected dtype I64, F64, F32, I32, BF16, F16, U8, BOOL, got "F8_E4M3"',
    ],
    [
      'what torch.save writes',
      Buffer.from('PK\x03\x04\x00\x00\x08\x08'),
      'm: expected a safetensors file (safetensors.torch.save_file(model.state_dict(), "model.safetensors") writes one), got what torch.save writes',
    ],
    [
      'what torch.save wrote until 1.6',
      Buffer.from('8002 8a0a 6cfc 9c46 f920 6aa8 5019 2e80'.replaceAll(' ', ''), 'hex'),
      'm: expected a safetensors file (safetensors.torch.save_file(model.state_dict(), "model.safetensors") writes one), got what torch.save writes',
    ],
    [
      'a dtype named like a property of every object',
      file(`{"w":${entry('toString', [0], [0, 0])}}`),
      'm: tensor "w": expected dtype I64, F64, F32, I32, BF16, F16, U8, BOOL, got "toString"',
    ],
    [
      'no shape',
      file('{"w":{"dtype":"U8","data_offsets":[0,0]}}'),
      'm: tensor "w": expected a shape of non-negative integers, got none',
    ],
    [
      'a negative dimension',
      file(`{"w":${entry('U8', [-1, -1], [0, 1])}}`, 1),
      'm: tensor "w": expected a shape of non-negative integers, got [-1,-1]',
    ],
    [
      'a fractional dimension',
      file(`{"w":${entry('U8', [1.5], [0, 1])}}`, 1),
      'm: tensor "w": expected a shape of non-negative integers, got [1.5]',
    ],
    [
      'one offset',
      file(`{"w":${entry('U8', [0], [0])}}`),
      'm: tensor "w": expected data_offsets [begin, end], got [0]',
    ],
    [
      'three offsets',
      file(`{"w":${entry('U8', [0], [0, 0, 0])}}`),
      'm: tensor "w": expected data_offsets [begin, end], got [0,0,0]',
    ],
    [
      'an end before the beginning',
      file(`{"w":${entry('U8', [0], [1, 0])}}`, 1),
      'm: tensor "w": expected data_offsets [begin, end], got [1,0]',
    ],
    [
      'a range of another size',
      file(`{"w":${entry('F32', [2, 2], [0, 12])}}`, 12),
      'm: tensor "w": expected 16 bytes for F32 [2,2], got 12',
    ],
    [
      'a shape whose size overflows',
      file(`{"w":${entry('U8', [2 ** 32, 2 ** 32], [0, 0])}}`),
      'm: tensor "w": expected 18446744073709552000 bytes for U8 [4294967296,4294967296], got 0',
    ],
    [
      'a gap before the data',
      file(`{"w":${entry('U8', [1], [1, 2])}}`, 2),
      'm: tensor "w": expected data at offset 0, got 1',
    ],
    [
      'an overlap',
      file(`{"a":${entry('U8', [2], [0, 2])},"b":${entry('U8', [2], [1, 3])}}`, 3),
      'm: tensor "b": expected data at offset 2, got 1',
    ],
    [
      'a table',
      new TextEncoder().encode('a,b\n1,2\n'),
      'm: expected a safetensors file, got a table: bn-edge train takes it',
    ],
    ['data cut short', file(`{"w":${entry('U8', [4], [0, 4])}}`, 3), 'm: expected 4 bytes of tensor data, got 3'],
    ['trailing bytes', file(`{"w":${entry('U8', [4], [0, 4])}}`, 5), 'm: expected 4 bytes of tensor data, got 5'],
    ['a long name', file(`{"${'ä'.repeat(99)}":0}`), `m: tensor "${'ä'.repeat(60)}…": expected an object, got 0`],
  ])('with %s are refused', (_name, bytes, message) => {
    expect(() => parseSafetensors(bytes, 'm')).toThrow(new UserError(message));
  });
});

describe('a checkpoint file', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'checkpoint-'));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  const tensors = new Map([['layer.weight', f32([2, 1], [0.5, -1])]]);

  it('is read as it was written, and replaces the former one', async () => {
    const path = join(folder, 'last.safetensors');
    await writeFile(path, 'the former one');
    await writeSafetensors(path, tensors, { network: '[]' });
    expect(await readSafetensors(path)).toEqual({ tensors, metadata: { network: '[]' } });
    expect(await readdir(folder)).toEqual(['last.safetensors']);
  });

  it('in which any one bit is another is refused, or says the same', async () => {
    const path = join(folder, 'last.safetensors');
    await writeSafetensors(path, tensors, { network: '[1]' });
    const bytes = await readFile(path);
    let found = 0;
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      await writeFile(path, flipped);
      const read = await readSafetensors(path).catch((error: unknown) => {
        expect(error, `bit ${bit}`).toBeInstanceOf(UserError);
        found += 1;
      });
      if (read) expect([read.tensors, read.metadata['network']], `bit ${bit}`).toEqual([tensors, '[1]']);
    }
    // The bytes not covered are the name of the checksums themselves, and blanks.
    expect(found).toBeGreaterThan(8 * (bytes.length - 'bn_edge.crc32'.length - 8));
  });

  // The checksums are those of zlib.crc32 in Python.
  it('in which one bit of the data is another names the tensor, and of the metadata these', async () => {
    const path = join(folder, 'last.safetensors');
    await writeSafetensors(path, tensors, { network: '[1]' });
    const bytes = await readFile(path);
    const change = (at: number) => Buffer.from(bytes.map((byte, i) => (i === at ? byte ^ 1 : byte)));
    const why = 'the file is damaged, or a program has changed it that keeps its metadata';
    await writeFile(path, change(bytes.length - 1));
    await expect(readSafetensors(path)).rejects.toThrow(
      `${path}: tensor "layer.weight": expected what was written, whose bn_edge.crc32 is "260ec668", got 5109f6fe: ${why}`,
    );
    await writeFile(path, change(bytes.indexOf('[1]') + 1));
    await expect(readSafetensors(path)).rejects.toThrow(
      `${path}: metadata: expected what was written, whose bn_edge.crc32`,
    );
  });

  it.each(['constructor', 'toString', '__proto__'])(
    'may have a tensor %j, whose checksum has to be there',
    async (name) => {
      const path = join(folder, 'named.safetensors');
      const tensors = new Map([[name, { dtype: 'F32', shape: [1], data: Float32Array.of(1) } as const]]);
      await writeSafetensors(path, tensors);
      expect([...(await readSafetensors(path)).tensors.keys()]).toEqual([name]);
      // A field that an attacker leaves out must not be found in the prototype of objects.
      await writeFile(
        path,
        serializeSafetensors(tensors, {
          'bn_edge.crc32': JSON.stringify({ '': crc32('[]').toString(16).padStart(8, '0') }),
        }),
      );
      await expect(readSafetensors(path)).rejects.toThrow(
        `tensor "${name}": expected what was written, whose bn_edge.crc32 is "none", got `,
      );
    },
  );

  it('whose network is nested a thousand times is refused in one line', async () => {
    const path = join(folder, 'nested.safetensors');
    const layer = (levels: number): object =>
      levels === 0 ? { kind: 'relu' } : { kind: 'residual', layers: [layer(levels - 1)], shortcut: [] };
    const network = { name: 'x', inputShape: [4], inputNormalization: 'feature', layers: [layer(1000)] };
    await writeSafetensors(path, new Map(), { 'bn_edge.network': JSON.stringify(network) });
    await expect(loadModel(path)).rejects.toThrow(`${path}: bn_edge.network: expected at most 200 levels, got more`);
  });

  it('of others, which has no checksums, is read', async () => {
    const path = join(folder, 'foreign.safetensors');
    await writeFile(path, serializeSafetensors(tensors, { format: 'pt' }));
    expect(await readSafetensors(path)).toEqual({ tensors, metadata: { format: 'pt' } });
  });

  it('that cannot be put in place leaves the folder as it was', async () => {
    const path = join(folder, 'a-folder');
    await writeFile(join(folder, 'kept'), 'kept');
    await mkdir(join(path, 'inside'), { recursive: true });
    await expect(writeSafetensors(path, tensors)).rejects.toThrow(/^.*a-folder: cannot write: [a-z ]+$/);
    expect((await readdir(folder)).sort()).toEqual(['a-folder', 'kept']);
    expect(await readFile(join(folder, 'kept'), 'utf8')).toBe('kept');
  });

  it.each([
    ['a missing file', 'missing', 'no such file or directory'],
    ['a folder', '.', 'illegal operation on a directory'],
  ])('is refused in one line that names it: %s', async (_name, name, reason) => {
    const path = join(folder, name);
    await expect(readSafetensors(path)).rejects.toThrow(new UserError(`${path}: cannot read: ${reason}`));
  });

  it('in a missing folder is refused in one line that names it', async () => {
    const path = join(folder, 'missing', 'x.safetensors');
    await expect(writeSafetensors(path, tensors)).rejects.toThrow(
      new UserError(`${path}: cannot write: no such file or directory`),
    );
  });
});

/** Makes a tensor of this dtype and shape with values 0, 1, 2, … */
function filledTensor([dtype, shape]: [Tensor['dtype'], number[]]): Tensor {
  const values = Array.from({ length: elementCount(shape) }, (_, i) => i);
  switch (dtype) {
    case 'F32':
      return { dtype, shape, data: Float32Array.from(values) };
    case 'F64':
      return { dtype, shape, data: Float64Array.from(values) };
    case 'I32':
      return { dtype, shape, data: Int32Array.from(values) };
    case 'F16':
    case 'BF16':
      return { dtype, shape, data: Uint16Array.from(values) };
    case 'U8':
    case 'BOOL':
      return { dtype, shape, data: Uint8Array.from(values) };
    case 'I64':
      return { dtype, shape, data: BigInt64Array.from(values, BigInt) };
  }
}
