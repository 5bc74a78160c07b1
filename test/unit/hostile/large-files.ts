/** A large right file of each format, with its reader as a user's path reaches it. */
import { zipSync } from 'fflate';
import onnxProto, { type onnx } from 'onnx-proto';
import { prepareModel } from '../../../exporter/served/prepare.ts';
import { readSafetensors } from '../../../training/checkpoint.ts';
import { readIdx } from '../../../training/data/idx.ts';
import { readNpy, readNpz } from '../../../training/data/npy.ts';
import { readTable } from '../../../training/data/table.ts';
import { readBytes } from '../../../training/files.ts';
import { decodeModel, encodeModel, graphBuilder } from '../../../training/graph/index.ts';
import { serializeSafetensors } from '../../../training/safetensors.ts';
import { digits } from '../../bundle/fixtures.ts';
import { idx } from '../data/idx-file.ts';
import { npy } from '../data/npy-file.ts';

const { ModelProto, TensorProto } = onnxProto.onnx;
const { DataType } = TensorProto;

interface LargeFile {
  readonly create: () => Uint8Array;
  readonly read: (path: string) => Promise<unknown>;
  /** The file and the result. */
  readonly times: number;
  /** What a process takes beyond that, whatever the size; in bytes. */
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

/** The fixture model with a large tensor more. */
function withBatchNorm(content: onnx.ITensorProto): Uint8Array {
  const file = ModelProto.decode(digits());
  file.graph?.initializer?.push({ name: 'large', dims: [count], dataType: DataType.FLOAT, ...content });
  return ModelProto.encode(file).finish();
}

export const largeFiles = {
  IDX: { create: () => idx([4 * count], new Uint8Array(4 * count)), read: readIdx, times: 2, slack: 3e7 },
  NPY: { create: array, read: readNpy, times: 2, slack: 3e7 },
  NPZ: {
    create: () => zipSync({ 'x.npy': array(), 'y.npy': npy("'|u1'", '(1,)', Uint8Array.of(0)) }, { level: 0 }),
    read: (path) => readNpz(path, ['x', 'y']),
    times: 2,
    slack: 3e7,
  },
  /** The cells that have been read are garbage until V8 collects it, which it does by its own measure. */
  CSV: {
    create: () => Buffer.from(`a,label\n${'0.125,0\n1,1\n'.repeat(1.3e6)}`),
    read: (path) => readTable(path, { label: 'label' }),
    times: 2,
    slack: 2e8,
  },
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
  'ONNX, to be served': {
    create: () => withBatchNorm({ rawData: new Uint8Array(numbers().buffer) }),
    read: async (path) => prepareModel(path, await readBytes(path)),
    times: 2,
    slack: 3e7,
  },
  /** About as many as are read at all. */
  'ONNX, to be served, with numbers in a list': {
    create: () => withBatchNorm({ floatData: [...numbers().subarray(0, 4e6)] }),
    read: async (path) => prepareModel(path, await readBytes(path)),
    times: 2,
    slack: 6e8,
  },
} as const satisfies Readonly<Record<string, LargeFile>>;

export type LargeFormat = keyof typeof largeFiles;
