/** A large right file of each format, with its reader as a user's path reaches it. */
import { zipSync } from 'fflate';
import { readSafetensors } from '../../../training/checkpoint.ts';
import { readIdx } from '../../../training/data/idx.ts';
import { readNpy, readNpz } from '../../../training/data/npy.ts';
import { readTable } from '../../../training/data/table.ts';
import { readBytes } from '../../../training/files.ts';
import { decodeModel, encodeModel, graphBuilder } from '../../../training/graph/index.ts';
import { serializeSafetensors } from '../../../training/safetensors.ts';
import { idx } from '../data/idx-file.ts';
import { npy } from '../data/npy-file.ts';

interface LargeFile {
  readonly create: () => Uint8Array;
  readonly read: (path: string) => Promise<unknown>;
  /** The file and the result. */
  readonly times: number;
  /** What a process takes beyond that, whatever the size; in bytes. */
  readonly slack: number;
}

const count = 8e6;
const numbers = () => new Float32Array(count).fill(1.5);
const array = () => npy("'<f4'", `(${count},)`, numbers());

function model(): Uint8Array {
  const g = graphBuilder();
  const w = g.initializer('w', { dtype: 'float32', shape: [count], data: numbers() });
  return encodeModel(g.build('large', { y: g.Add(g.input('x', { dtype: 'float32', shape: [1] }), w) }));
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
    create: () => Buffer.from(`a,label\n${'0.125,0\n1,1\n'.repeat(4e5)}`),
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
  /** Numbers stored as bytes, of which the decoder has a copy of its own; of a list of numbers it takes several times the size. */
  ONNX: { create: model, read: async (path) => decodeModel(await readBytes(path)), times: 3, slack: 3e7 },
} as const satisfies Readonly<Record<string, LargeFile>>;

export type LargeFormat = keyof typeof largeFiles;
