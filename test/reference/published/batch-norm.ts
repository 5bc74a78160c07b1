/** The ONNX specification's examples and PyTorch's results, as recorded by batch-norm.py, which explains how. */
import { readFileSync } from 'node:fs';
import type { Attributes } from '../../../training/graph/index.ts';
import type { BnMomentum } from '../../../training/optimizer/index.ts';
import type { Arrays } from '../evaluate.ts';
import type { NdArray } from '../ndarray.ts';

export interface OnnxExample {
  readonly name: string;
  readonly attributes: Attributes<'BatchNormalization'>;
  readonly inputs: Readonly<Record<'X' | 'scale' | 'B' | 'input_mean' | 'input_var', NdArray>>;
  readonly outputs: Arrays;
}

type StepTensor = 'X' | 'dY' | 'Y' | 'dX' | 'dScale' | 'dB' | 'running_mean' | 'running_var';

export type PytorchStep = Readonly<Record<StepTensor, NdArray>>;

export interface PytorchRun {
  readonly name: string;
  /** The share of the old value that is kept, which is 1 − PyTorch's momentum. */
  readonly momentum: BnMomentum;
  readonly epsilon: number;
  readonly scale: NdArray;
  readonly B: NdArray;
  /** Mini-batches in training mode, with the running statistics after each. */
  readonly steps: readonly PytorchStep[];
  /** The last mini-batch in evaluation mode. */
  readonly evaluated: NdArray;
}

interface Stored {
  readonly onnx: readonly OnnxExample[];
  readonly pytorch: readonly (Omit<PytorchRun, 'momentum'> & { readonly momentum: number | null })[];
}

const toArrays = (_: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && 'shape' in value && 'data' in value
    ? { shape: value.shape, data: Float64Array.from(value.data as number[]) }
    : value;

const stored = JSON.parse(readFileSync(new URL('batch-norm.json', import.meta.url), 'utf8'), toArrays) as Stored;

export const onnxExamples = stored.onnx;

export const pytorchRuns: readonly PytorchRun[] = stored.pytorch.map(({ momentum, ...run }) => ({
  ...run,
  momentum: momentum === null ? 'none' : 1 - momentum,
}));
