/** A large valid file of each format, with its reader as a user's path reaches it. */
import { zipSync } from 'fflate';
import onnxProto from 'onnx-proto';
import { prepareModel } from '../../../exporter/served/prepare.ts';
import { readSafetensors } from '../../../training/checkpoint/checkpoint.ts';
import { readIdx } from '../../../training/data/idx.ts';
import { readNpy, readNpz } from '../../../training/data/npy.ts';
import { readTable } from '../../../training/data/table-file.ts';
import { readBytes } from '../../../training/files/files.ts';
import { decodeModel, encodeModel, graphBuilder } from '../../../training/graph/index.ts';
import { serializeSafetensors } from '../../../training/files/safetensors.ts';
import { idx } from '../data/idx-file.ts';
import { npy } from '../data/npy-file.ts';
import { field, fields, repeated, withAttribute, withBatchNorm } from './onnx-wire.ts';

const { TensorProto } = onnxProto.onnx;

interface LargeFile {
  readonly create: () => Uint8Array;
  readonly read: (path: string) => Promise<unknown>;
  /** The allowed memory in multiples of the file's size: for the file and the result. */
  readonly times: number;
  /** The bytes that a process may take beyond that, whatever the size. */
  readonly slack: number;
}

const count = 16e6;
const numbers = () => new Float32Array(count).fill(1.5);
const array = () => npy("'<f4'", `(${count},)`, numbers());

function model(): Uint8Array {
  const g = graphBuilder();
  const w = g.initializer('w', { dtype: 'float32', shape: [count], data: numbers() });
  return encodeModel(g.build('large', { y: g.Add(g.input('x', { dtype: 'float32', shape: [1] }), w) }));
}

/** Makes rows and columns of numbers, all of which differ. */
function wideTable(): Uint8Array {
  const row = (i: number): string => Array.from({ length: 1000 }, (_, j) => `0.1${1000 * i + j}`).join(',');
  const names = Array.from({ length: 1000 }, (_, j) => (j === 0 ? 'label' : `x${j}`)).join(',');
  return Buffer.from([names, ...Array.from({ length: 1000 }, (_, i) => row(i))].join('\n'));
}

function manyColumns(): Uint8Array {
  const names = Array.from({ length: 99_999 }, (_, j) => j.toString(36));
  return Buffer.from(`label,${names.join(',')}\n1${',1'.repeat(names.length)}\n2${',1'.repeat(names.length)}\n`);
}

const table = (path: string): Promise<unknown> => readTable(path, { label: 'label' });

/** Puts the numbers into a field of a tensor, in a model with a Batch Norm layer. */
function withTensor(dataField: number): Uint8Array {
  const head = TensorProto.encode({ name: 'large', dims: [count], dataType: TensorProto.DataType.FLOAT }).finish();
  const data = field(dataField, new Uint8Array(numbers().buffer));
  return withBatchNorm(field(fields.graph.initializer, head, data));
}

/** Makes a small file of the given kind, with almost as many objects as the reader accepts. */
const crafted = (create: () => Uint8Array): LargeFile => ({ create, read: served, times: 2, slack: 1.3e8 });

const served = async (path: string): Promise<unknown> => prepareModel(path, await readBytes(path));

export const largeFiles = {
  IDX: { create: () => idx([4 * count], new Uint8Array(4 * count)), read: readIdx, times: 2, slack: 3e7 },
  NPY: { create: array, read: readNpy, times: 2, slack: 3e7 },
  NPZ: {
    create: () => zipSync({ 'x.npy': array(), 'y.npy': npy("'|u1'", '(1,)', Uint8Array.of(0)) }, { level: 0 }),
    read: (path) => readNpz(path, ['x', 'y']),
    times: 2,
    slack: 3e7,
  },
  /** Cells that have been read stay garbage until V8 collects them: even a file ten times as large takes no more. */
  CSV: {
    create: () => Buffer.from(`a,label\n${'0.125,0\n1,1\n'.repeat(5e5)}`),
    read: table,
    times: 2,
    slack: 1.5e8,
  },
  'CSV of a million different numbers': { create: wideTable, read: table, times: 2, slack: 6e7 },
  /** The maximum number of columns, which take 500 bytes each, and the garbage. */
  'CSV of 100,000 columns': { create: manyColumns, read: table, times: 2, slack: 3e8 },
  safetensors: {
    create: () => serializeSafetensors(new Map([['w', { dtype: 'F32', shape: [count], data: numbers() }]]), {}),
    read: readSafetensors,
    times: 2,
    slack: 3e7,
  },
  'ONNX, to be trained': {
    create: model,
    read: async (path) => decodeModel(await readBytes(path)),
    times: 2,
    slack: 3e7,
  },
  /** The result is a second file, with switches. */
  'ONNX, to be served': { create: () => withTensor(fields.tensor.rawData), read: served, times: 2, slack: 3e7 },
  'ONNX, to be served, with numbers in a list': {
    create: () => withTensor(fields.tensor.floatData),
    read: served,
    times: 2,
    slack: 3e7,
  },
  'ONNX of empty attributes': crafted(() =>
    withBatchNorm(field(fields.graph.node, repeated(138_000, field(fields.node.attribute)))),
  ),
  'ONNX of identities': crafted(() => {
    const [input, output] = [field(fields.node.input, Buffer.from('a')), field(fields.node.output, Buffer.from('b'))];
    return withBatchNorm(repeated(81_000, field(fields.graph.node, input, output)));
  }),
  'ONNX of integers': crafted(() => withAttribute(field(fields.attribute.ints, Buffer.alloc(1_820_000, 1)))),
  'ONNX of large integers': crafted(() =>
    withAttribute(field(fields.attribute.ints, repeated(530_000, Buffer.from('ffffffffffffffff7f', 'hex')))),
  ),
  'ONNX of numbers': crafted(() =>
    withAttribute(field(fields.attribute.floats, new Uint8Array(numbers().buffer, 0, 4 * 1_820_000))),
  ),
} as const satisfies Readonly<Record<string, LargeFile>>;

export type LargeFormat = keyof typeof largeFiles;
