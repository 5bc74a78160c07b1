/** The formats that are read from outside: for each, small valid files, its keywords and its reader. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { strToU8, zipSync } from 'fflate';
import { prepareModel } from '../../../exporter/served/prepare.ts';
import { parseIdx } from '../../../training/data/idx.ts';
import { readPicture } from '../../../training/data/image-file.ts';
import { type NpyArray, parseNpyOrTexts, parseNpz } from '../../../training/data/npy.ts';
import { inputsOf } from '../../../training/columns/index.ts';
import { readTable } from '../../../training/data/table-file.ts';
import { decodeModel, encodeModel } from '../../../training/graph/index.ts';
import { modelFrom } from '../../../training/checkpoint/model.ts';
import { parseSafetensors, serializeSafetensors } from '../../../training/files/safetensors.ts';
import { digits, identity } from '../../bundle/fixtures.ts';
import { opCases } from '../../reference/cases/index.ts';
import { forwardGraph, gradientGraph } from '../../reference/op-graphs.ts';
import { bmp } from '../data/bmp-file.ts';
import { idx } from '../data/idx-file.ts';
import { npy } from '../data/npy-file.ts';

export interface Format {
  readonly name: string;
  readonly files: readonly Uint8Array[];
  readonly tokens: readonly string[];
  /** Reads the file. The result must make sense; otherwise it throws an error that is not a UserError. */
  readonly read: (bytes: Uint8Array) => unknown;
}

/** The only folder in which a reader finds a file. No reader may leave a file there. */
export const folder = mkdtempSync(join(tmpdir(), 'bn-edge-hostile-'));

const inFile =
  (name: string, read: (path: string) => Promise<unknown>) =>
  (bytes: Uint8Array): Promise<unknown> => {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    return read(path);
  };

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** @throws where the number of elements differs from the shape's */
function complete<Read extends { readonly shape: readonly number[]; readonly data: ArrayLike<unknown> }>(
  read: Read,
): Read {
  if (read.data.length !== sizeOf(read.shape))
    throw new Error(`[${read.shape.join()}] with ${read.data.length} elements`);
  return read;
}

const image = idx(
  [3, 4, 5],
  Array.from({ length: 60 }, (_, i) => i),
);
const arrays: readonly Uint8Array[] = [
  npy("'<f4'", '(2, 3)', Float32Array.of(1, 2, 3, 4, 5, 6)),
  npy("'<i8'", '(2,)', BigInt64Array.of(1n, -1n), { version: 2 }),
  npy("'|b1'", '()', Uint8Array.of(1), { version: 3 }),
  npy("'>f2'", '(3, 2)', Uint16Array.of(1, 2, 3, 4, 5, 6), { order: 'True' }),
  npy("'<U2'", '(2, 1)', Uint32Array.of(65, 0, 0x1f600, 66)),
  npy("'|S3'", '(1, 2)', Uint8Array.of(65, 66, 0, 67, 0, 0), { order: 'True' }),
];
const [inputs = image, labels = image] = arrays;

const linear = JSON.stringify({
  name: 'small',
  inputShape: [2],
  inputNormalization: 'feature',
  layers: [{ kind: 'batchNorm', epsilon: 1e-5 }],
});
const vector = (...values: number[]) =>
  ({ dtype: 'F32', shape: [values.length], data: Float32Array.from(values) }) as const;
const checkpoint = serializeSafetensors(
  new Map([
    ['input.mean', vector(0, 0)],
    ['input.var', vector(1, 1)],
    ['bn1.weight', vector(1, 2)],
    ['bn1.bias', vector(0, 0)],
    ['bn1.running_mean', vector(0, 0)],
    ['bn1.running_var', vector(1, 1)],
  ]),
  { 'bn_edge.network': linear },
);

const pixels = Array.from({ length: 18 }, (_, i) => 13 * i);

const table = 'color,size,label\nred,1,yes\n"bl""ue",-2.5e3,no\r\nred,0.5,"yes"\n';

/** The readers' own complaints, as `catch` sees them. */
export const formats: readonly Format[] = [
  {
    name: 'IDX',
    files: [image, idx([1], [7])],
    tokens: ['\0\0\x08\x03'],
    read: (bytes) => complete(parseIdx(bytes, 'file')),
  },
  {
    name: 'IDX in gzip',
    files: [gzipSync(image), gzipSync(idx([100, 100], new Uint8Array(10_000)))],
    tokens: ['\x1f\x8b\x08'],
    read: (bytes) => complete(parseIdx(bytes, 'file')),
  },
  {
    name: 'CSV',
    files: [table, 'x,label\n1,2\n3,4\n', '\ufeffa,label\n0,0\n1,1\n'].map((text) => strToU8(text)),
    tokens: ['"', '""', ',', '\n', '\r\n', '\r', '\0', 'NaN', '1e999', 'label', '\ufeff', '\xff'],
    read: inFile('file.csv', async (path) => {
      const { columns, dataset } = await readTable(path, { label: 'label' });
      const width = inputsOf(columns).length;
      if (dataset.inputs.length !== dataset.count * width) throw new Error('another number of inputs');
      return dataset;
    }),
  },
  {
    name: 'NPY',
    files: arrays,
    tokens: ["'descr': ", "'<f8'", "'|O'", "'fortran_order': True", "'shape': (", '99999999999', ',', ')', '\n'],
    read: (bytes) => complete(parseNpyOrTexts(bytes, 'file')),
  },
  {
    name: 'BMP',
    files: [bmp(8, 3, 2, pixels), bmp(24, 3, 2, pixels), bmp(32, 3, 2, pixels)],
    tokens: ['BM', '\x28\0\0\0', '\x01\0', '\x04\0', '\x10\0', '\xff\xff\xff\x7f', '\0\0\0\x80'],
    read: inFile('file.bmp', async (path) => {
      const { width, height, channels, data } = await readPicture(path);
      return complete({ shape: [height, width, channels], data });
    }),
  },
  {
    name: 'NPZ',
    files: [
      zipSync({ 'x.npy': inputs, 'y.npy': labels }),
      zipSync({ 'x.npy': inputs, 'y.npy': labels }, { level: 0, comment: 'stored' } as object),
    ],
    tokens: ['PK\x01\x02', 'PK\x03\x04', 'PK\x05\x06', 'PK\x06\x06', '../x.npy', 'x.npy'],
    read: (bytes): readonly NpyArray[] => parseNpz(bytes, 'file', ['x', 'y']).map(complete),
  },
  {
    name: 'safetensors',
    files: [
      checkpoint,
      serializeSafetensors(
        new Map([
          ['w', vector(1, 2, 3)],
          ['v', vector()],
        ]),
        { a: 'b' },
      ),
    ],
    tokens: [
      '"',
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '0',
      '9007199254740993',
      '-1',
      '"dtype"',
      '"F64"',
      '"bn1.bias"',
      '__proto__',
    ],
    read: (bytes) => [...parseSafetensors(bytes, 'file').tensors.values()].map(complete),
  },
  {
    name: 'a checkpoint',
    files: [checkpoint],
    tokens: ['"dense"', '"units"', '\\"units\\":-1', '\\"kind\\"', '1e9', '[]', '{}', 'null', '"bn1.bias"'],
    read: (bytes) => modelFrom(parseSafetensors(bytes, 'file'), 'file'),
  },
  {
    name: 'ONNX, to be trained',
    files: opCases
      .filter((row, i) => i % 9 === 0 || row.op === 'BatchNormalization' || row.op === 'Loop')
      .map((row) => encodeModel(row.forwardOnly === undefined ? gradientGraph(row) : forwardGraph(row))),
    tokens: ['x0', 'y0', 'Relu', 'Loop', 'BatchNormalization', 'axes', '\n', '__proto__', 'constructor'],
    read: (bytes) => {
      const { graph } = decodeModel(bytes);
      const written = encodeModel(graph);
      if (Buffer.compare(encodeModel(decodeModel(written).graph), written) !== 0) throw new Error('another graph');
      return graph;
    },
  },
  {
    name: 'ONNX, to be served',
    files: [digits(), identity()],
    tokens: ['BatchNormalization', 'Identity', 'zt', 'scale', 'input_var', 'pixels', 'ai.onnx', '\n', '__proto__'],
    read: (bytes) => prepareModel('file', bytes),
  },
];
