/** Malicious files are refused with the right message. A hang fails by time, a huge allocation by memory. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { strToU8, zipSync } from 'fflate';
import onnxProto, { type onnx } from 'onnx-proto';
import { afterAll, describe, expect, it } from 'vitest';
import { prepareModel } from '../../../exporter/served/prepare.ts';
import { parseIdx } from '../../../training/data/idx.ts';
import { parseNpy, parseNpz } from '../../../training/data/npy.ts';
import { readTable } from '../../../training/data/table-file.ts';
import { readZip } from '../../../training/data/zip.ts';
import { quote, UserError } from '../../../training/files/errors.ts';
import { decodeModel, GraphError } from '../../../training/graph/index.ts';
import { parseSafetensors } from '../../../training/files/safetensors.ts';
import { digits } from '../../bundle/fixtures.ts';
import { idx } from '../data/idx-file.ts';
import { npy } from '../data/npy-file.ts';
import { field, fields, repeated, withAttribute, withBatchNorm } from './onnx-wire.ts';

const { GraphProto, ModelProto } = onnxProto.onnx;
const folder = mkdtempSync(join(tmpdir(), 'bn-edge-attacks-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Returns a header that announces so many bytes of elements, which are missing. */
const claim = (...shape: number[]): Uint8Array => idx(shape, []);

/** 100 kB that inflate to 100 MB. */
const bomb = gzipSync(Buffer.concat([idx([1], [1]), Buffer.alloc(1e8)]));

const x = npy("'<f4'", '(2,)', Float32Array.of(1, 2));
const y = npy("'|u1'", '(2,)', Uint8Array.of(0, 1));
const archive = Buffer.from(zipSync({ 'x.npy': x, 'y.npy': y }, { level: 0 }));
const directory = archive.readUInt32LE(archive.length - 6);

/** Returns the archive with a field changed, in the first file's record or in the record at the end. */
function patched(write: (file: Buffer) => void): Buffer {
  const copy = Buffer.from(archive);
  write(copy);
  return copy;
}

function safetensors(header: string, dataLength = 0): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, Buffer.from(header), Buffer.alloc(dataLength)]);
}

const tensor = (begin: number, end: number): string =>
  `{"dtype":"U8","shape":[${end - begin}],"data_offsets":[${begin},${end}]}`;

/** Returns a model with so many graphs nested in one another, each in an attribute of a node. */
function nested(depth: number): Buffer {
  let graph: Buffer = Buffer.alloc(0);
  for (let i = 0; i < depth; i++) {
    const attribute = field(fields.node.attribute, field(fields.attribute.graph, graph));
    graph = field(fields.graph.node, attribute);
  }
  return field(fields.model.graph, graph);
}

const deep = nested(5000);

/** Returns a model of a loop in the body of a loop, and so on: what reads the graph goes deeper than the decoder. */
function loops(depth: number): Buffer {
  let graph: Buffer = Buffer.alloc(0);
  for (let i = 0; i < depth; i++) {
    const inputs = ['M', 'go'].map((name) => field(fields.node.input, Buffer.from(name)));
    const body = field(fields.attribute.name, Buffer.from('body'));
    const attribute = field(fields.node.attribute, body, field(fields.attribute.graph, graph));
    graph = field(fields.graph.node, ...inputs, field(fields.node.opType, Buffer.from('Loop')), attribute);
  }
  const initializer = [
    { name: 'M', dataType: 7, int64Data: [1] },
    { name: 'go', dataType: 9, rawData: Uint8Array.of(1) },
  ];
  return field(fields.model.graph, GraphProto.encode({ initializer }).finish(), graph);
}

const deepLoops = loops(1500);

/** 5 MB of messages of two bytes each, for which the decoder would take half a gigabyte. */
const messages = field(fields.model.graph, repeated(2_500_000, field(fields.graph.node)));
/** 5 MB of integers of one byte each. */
const integers = withAttribute(field(fields.attribute.ints, Buffer.alloc(5e6, 1)));
/** A text that takes twice its size in memory because of its first character. */
const wideText = withBatchNorm(field(fields.graph.docString, Buffer.from('€'), Buffer.alloc(4e7, 'a')));

const [fourBytes, fiveBytes] = [Buffer.of(0xff, 0xff, 0xff, 1), Buffer.of(0xff, 0xff, 0xff, 0xff, 1)];
const listOf = (list: number, count: number, number: Uint8Array): Buffer =>
  field(fields.node.attribute, field(list, repeated(Math.floor(count), number)));
const text = field(fields.node.input, Buffer.alloc(100, 'a'));
/** The type of an attribute, of which the last one counts. */
const type = Buffer.of(0xa0, 1, 1);

/** Fields of a node that take so many bytes of memory, by what training/graph/decode-proto.ts says of each. */
const taking: readonly (readonly [what: string, fields: (bytes: number) => Buffer])[] = [
  ['integers of four bytes', (bytes) => listOf(fields.attribute.ints, bytes / 35, fourBytes)],
  ['integers of five bytes', (bytes) => listOf(fields.attribute.ints, bytes / 120, fiveBytes)],
  ['floats', (bytes) => listOf(fields.attribute.floats, bytes / 35, new Uint8Array(4))],
  ['texts of 100 letters', (bytes) => repeated(Math.floor(bytes / 360), text)],
  [
    'floats and fields that replace one another, which take nothing',
    (bytes) =>
      Buffer.concat([
        field(fields.node.attribute, repeated(60_000, type)),
        listOf(fields.attribute.floats, bytes / 35, new Uint8Array(4)),
      ]),
  ],
];
/** Returns a model of empty nodes that take 50 MB, and one more node. */
const emptyNodesAnd = (node: Uint8Array): Buffer =>
  field(fields.model.graph, repeated(Math.floor(50e6 / 460), field(fields.graph.node)), field(fields.graph.node, node));

const twoGraphs = Buffer.concat([withBatchNorm(), withBatchNorm()]);
/** A node that announces four bytes, which lie outside of its graph. */
const overrun = Buffer.concat([withBatchNorm(Buffer.from([0x0a, 4])), field(fields.node.input, Buffer.from('ab'))]);

/**
 * Returns the fixture with its graph changed. `change` receives the Batch Norm layer's node and the tensor of its γ.
 */
function fixture(
  change: (graph: onnx.IGraphProto, layer: onnx.INodeProto, scale: onnx.ITensorProto) => object,
): Uint8Array {
  const model = ModelProto.decode(digits());
  const graph = model.graph ?? {};
  const layer = graph.node?.find(({ opType }) => opType === 'BatchNormalization') ?? {};
  const scale = graph.initializer?.find(({ name }) => name === layer.input?.[1]) ?? {};
  return ModelProto.encode(Object.assign(model, { graph: { ...graph, ...change(graph, layer, scale) } })).finish();
}

/** Returns so many further layers with the same parameters. */
const layers = (layer: onnx.INodeProto, count: number): onnx.INodeProto[] =>
  Array.from({ length: count }, (_, i) => ({ ...layer, output: [`zt${i}`] }));

/** Returns a table with a different text in every cell. */
function texts(columns: number, rows: number): string {
  const row = (i: number): string => Array.from({ length: columns }, (_, j) => `${i}/${j}`).join(',');
  return Array.from({ length: rows }, (_, i) => row(i)).join('\n');
}

const unexplained: readonly (readonly [what: string, bytes: Uint8Array])[] = [
  [
    'a parameter that is computed from itself',
    fixture(({ node = [], initializer = [] }, _, scale) => ({
      node: [...(node ?? []), { opType: 'Identity', input: [scale.name], output: [scale.name] }],
      initializer: (initializer ?? []).filter((tensor) => tensor !== scale),
    })),
  ],
  ['a parameter that is shorter than its shape', fixture((_, __, scale) => Object.assign(scale, { floatData: [1] }))],
  ['5000 layers', fixture(({ node }, layer) => ({ node: [...(node ?? []), ...layers(layer, 5000)] }))],
  [
    'layers that share a large parameter',
    fixture(({ node }, layer, scale) => {
      Object.assign(scale, { dims: [1e5], floatData: [], rawData: new Uint8Array(4e5) });
      return { node: [...(node ?? []), ...layers(layer, 20)] };
    }),
  ],
];

const withOp = (opType: string): Uint8Array => ModelProto.encode({ graph: { node: [{ opType }] } }).finish();

const tooMuch = 'file: expected messages, texts and lists of numbers of at most 64 MB, got more';

const attacks: readonly (readonly [what: string, read: () => unknown, message: string | RegExp])[] = [
  ['IDX of 4 GB in 16 bytes', () => parseIdx(claim(1, 0xffffffff), 'file'), /^file: expected 4294967307 bytes for uint8/],
  ['IDX of more bytes than numbers count', () => parseIdx(claim(...Array<number>(99).fill(0xffffffff)), 'file'), /^file: expected an IDX file of unsigned bytes \(.* rank of at most 8\), got 00 00 08 63$/],
  ['IDX in gzip that claims 4 GB', () => parseIdx(gzipSync(claim(1, 0xffffffff)), 'file'), /^file: expected 4294967307 bytes/],
  ['IDX in gzip that unpacks to a thousand times what it claims', () => parseIdx(bomb, 'file'), 'file: expected 9 bytes for uint8 [1], got more'],
  ['IDX in gzip with bytes behind it', () => parseIdx(Buffer.concat([gzipSync(idx([1], [1])), Buffer.from('\0more')]), 'file'), /^file: expected \d+ compressed bytes, got \d+$/],
  ['IDX with bytes behind it', () => parseIdx(Buffer.concat([idx([1], [1]), Buffer.from('more')]), 'file'), 'file: expected 9 bytes for uint8 [1], got 13'],
  ['NPY of a terabyte', () => parseNpy(npy("'<f8'", '(1099511627776,)', new Uint8Array()), 'file'), /^file: expected 8796093022208 bytes/],
  ['NPY with a header of a megabyte', () => parseNpy(npy("'<f8'", `(${'1, '.repeat(3e5)})`, new Uint8Array(8), { version: 2 }), 'file'), /^file: expected a header of at most 10000 bytes, got \d+$/],
  ['NPZ with an array twice', () => parseNpz(patched((file) => file.write('x.npy', directory + 51 + 46)), 'file', ['x']), 'file: expected different names, got "x.npy" twice'],
  ['NPZ with damaged content', () => parseNpz(patched((file) => (file[directory - 1] = 7)), 'file', ['y']), 'file: "y.npy": expected content with its checksum, got damaged content'],
  ['NPZ whose arrays overlap the directory', () => parseNpz(patched((file) => file.writeUInt32LE(directory, directory + 20)), 'file', ['x']), /^file: "x\.npy": expected at most \d+ packed bytes, got \d+$/],
  ['NPZ that claims 4 GB', () => parseNpz(patched((file) => file.writeUInt32LE(0xffffffff, directory + 24)), 'file', ['x']), /^file: "x\.npy": expected 4294967295 bytes, got \d+$/],
  ['NPZ with 65535 files more than it has', () => parseNpz(patched((file) => file.writeUInt16LE(0xffff, file.length - 12)), 'file', ['x']), 'file: expected 65535 files in the archive, got 2'],
  ['NPZ with bytes behind it', () => parseNpz(Buffer.concat([archive, Buffer.from('more')]), 'file', ['x']), 'file: expected a ZIP archive, got something else'],
  ['safetensors that overlap', () => parseSafetensors(safetensors(`{"a":${tensor(0, 4)},"b":${tensor(2, 6)}}`, 6), 'file'), 'file: tensor "b": expected data at offset 4, got 2'],
  ['safetensors with a name twice', () => parseSafetensors(safetensors(`{"a":${tensor(0, 2)},"a":${tensor(2, 4)}}`, 4), 'file'), 'file: header: expected different names, got "a" twice'],
  ['safetensors with bytes behind them', () => parseSafetensors(safetensors(`{"a":${tensor(0, 2)}}`, 3), 'file'), 'file: expected 2 bytes of tensor data, got 3'],
  ['safetensors of 2⁵³ elements', () => parseSafetensors(safetensors('{"a":{"dtype":"F32","shape":[9007199254740991],"data_offsets":[0,4]}}', 4), 'file'), /^file: tensor "a": expected 36028797018963964 bytes/],
  ['safetensors with a shape in a million brackets', () => parseSafetensors(safetensors(`{"a":{"dtype":"F32","shape":${'['.repeat(1e6)}${']'.repeat(1e6)},"data_offsets":[0,4]}}`), 'file'), /^file: (header|tensor "a"): expected /],
  ['ONNX with graphs in graphs', () => decodeModel(deep), /^expected /],
  ['ONNX with loops in loops', () => decodeModel(deepLoops), 'expected graphs nested less deep'],
  ['ONNX with an op that clears the screen', () => decodeModel(withOp('\u001b[2J\u009b2J\n')), /op \\u\{1b\}\[2J\\u\{9b\}2J\\u\{a\} is not known$/],
  ['ONNX of nothing but empty nodes', () => decodeModel(messages), 'expected messages, texts and lists of numbers of at most 64 MB, got more'],
  ['served ONNX of nothing but empty nodes', () => prepareModel('file', messages), tooMuch],
  ['served ONNX with a long list of integers', () => prepareModel('file', integers), tooMuch],
  ['served ONNX with a text that takes twice its bytes', () => prepareModel('file', wideText), tooMuch],
  ['served ONNX with two graphs', () => prepareModel('file', twoGraphs), 'file: expected one graph, and messages that end where they say'],
  ['served ONNX with a node that ends behind its graph', () => prepareModel('file', overrun), 'file: expected one graph, and messages that end where they say'],
  ['served ONNX with graphs in graphs', () => prepareModel('file', deep), /^file: expected /],
]; // oxfmt-ignore

describe('a hostile file', () => {
  it.each(attacks)('%s', (_, read, message) => {
    const before = process.memoryUsage().arrayBuffers;
    const error = thrownBy(read);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1e7);
    expect(error.message).toMatch(message);
    expect(error.message.length).toBeLessThan(400);
    expect(error instanceof UserError || error instanceof GraphError, String(error.stack)).toBe(true);
  });

  it.each(taking)('of ONNX may take 62 MB, with %s', (_, more) => {
    expect(() => decodeModel(emptyNodesAnd(more(12e6)))).toThrow('op  is not known');
  });

  it.each(taking)('of ONNX may not take 66 MB, with %s', (_, more) => {
    expect(() => decodeModel(emptyNodesAnd(more(16e6)))).toThrow('at most 64 MB, got more');
  });

  it.each(unexplained)('of served ONNX with %s has no Batch Norm to show', (_, bytes) => {
    expect(prepareModel('file', bytes).batchNorm).toEqual([]);
    expect(prepareModel('file', bytes)).not.toHaveProperty('switchable');
  });

  it.each([
    [
      'a column too many',
      `a${Array.from({ length: 100_000 }, (_, i) => `,${i}`).join('')}\n`,
      'at most 100000 columns, got 100001',
    ],
    ['300,000 texts', texts(300, 1000), 'at most 250000 different texts in all columns, got more'],
  ])('of CSV with %s is refused', async (_, content, message) => {
    const path = join(folder, 'wide.csv');
    writeFileSync(path, content);
    await expect(readTable(path, { label: '0/0' })).rejects.toThrow(`${path}: expected ${message}`);
  });
});

function thrownBy(read: () => unknown): Error {
  try {
    read();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('nothing was thrown');
}

describe('properties', () => {
  const anything = fc.uint8Array({ maxLength: 200 });
  const readers: readonly (readonly [name: string, start: string, read: (bytes: Uint8Array) => unknown])[] = [
    ['IDX', '\0\0\x08\x01', (bytes) => parseIdx(bytes, 'file')],
    ['NPY', '\x93NUMPY\x01\0', (bytes) => parseNpy(bytes, 'file')],
    ['ZIP', 'PK\x03\x04', (bytes) => readZip(bytes, 'file').map(({ unpack }) => unpack())],
    ['safetensors', '\x20\0\0\0\0\0\0\0{', (bytes) => parseSafetensors(bytes, 'file')],
    ['ONNX', '\x08\x09\x3a', decodeModel],
    ['served ONNX', '\x08\x09\x3a', (bytes) => prepareModel('file', bytes)],
  ];

  it.each(readers)('%s: any bytes are read or refused', (_, start, read) => {
    fc.assert(
      fc.property(anything, (bytes) => {
        for (const file of [bytes, Buffer.concat([Buffer.from(start, 'latin1'), bytes])]) {
          try {
            read(file);
          } catch (error) {
            expect(error instanceof UserError || error instanceof GraphError, String(error)).toBe(true);
          }
        }
      }),
      { numRuns: 500, seed: 7 },
    );
  });

  it('an archive gives back what went into it', () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(fc.dictionary(name, anything, { noNullPrototype: true }), fc.constantFrom(0, 6), (files, level) => {
        const entries = readZip(zipSync(files, { level }), 'file');
        expect(Object.fromEntries(entries.map((entry) => [entry.name, Uint8Array.from(entry.unpack())]))).toEqual(
          files,
        );
      }),
      { numRuns: 200, seed: 7 },
    );
  });

  it('what is quoted from a file is one line without anything that a terminal obeys', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(quote(text)).toMatch(/^"[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*"$/u);
      }),
      { seed: 7 },
    );
  });

  it('an archive has the checksums of its content', () => {
    const [entry] = readZip(zipSync({ a: strToU8('content') }), 'file');
    expect(crc32(entry?.unpack() ?? '')).toBe(crc32('content'));
  });
});
