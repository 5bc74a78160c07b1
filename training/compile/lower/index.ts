/**
 * Lowers ops to the kernels that compute them. Elementwise ops need no rule of their own: `expression/` defines what
 * they compute.
 */
import { type Node, type OpType, sizeIfKnown, type Value } from '../../graph/index.ts';
import { uncovered } from '../error.ts';
import { isElementwise } from '../expression/of-node.ts';
import { lowerAveragePool, lowerConv, lowerConvTranspose, lowerMaxPool } from './convolution.ts';
import { lowerElementwise } from './elementwise.ts';
import { lowerGemm, lowerMatMul } from './linalg.ts';
import type { Lowering } from './lowering.ts';
import {
  lowerConcat,
  lowerExpand,
  lowerGather,
  lowerPad,
  lowerReshape,
  lowerSlice,
  lowerTranspose,
} from './movement.ts';
import { lowerArgMax, lowerLayerNorm, lowerReduction, lowerSoftmax } from './reduction.ts';

type NodeOf<O extends OpType> = Extract<Node, { op: O }>;
type Rule<O extends OpType> = (lowering: Lowering, node: NodeOf<O>) => void;
type Rules = { readonly [O in OpType]?: Rule<O> };

const refused =
  (why: string) =>
  (_lowering: Lowering, node: Pick<Node, 'name' | 'op'>): never => {
    throw uncovered(node, why);
  };

const notCovered = refused('is not covered');
const forTraining = refused('is not covered: it belongs to training');

const rules: Rules = {
  ReduceMax: lowerReduction('max'),
  ReduceMean: lowerReduction('add', true),
  ReduceSum: lowerReduction('add'),
  ArgMax: lowerArgMax,

  MatMul: lowerMatMul,
  Gemm: lowerGemm,
  'com.microsoft.FusedMatMul': forTraining,

  Conv: lowerConv,
  ConvTranspose: lowerConvTranspose,
  MaxPool: lowerMaxPool,
  AveragePool: lowerAveragePool,
  'com.microsoft.nchwc.ReorderInput': forTraining,
  'com.microsoft.nchwc.ReorderOutput': forTraining,
  'com.microsoft.nchwc.Conv': forTraining,

  Concat: lowerConcat,
  Expand: lowerExpand,
  Flatten: lowerReshape,
  Gather: lowerGather,
  Pad: lowerPad,
  Reshape: lowerReshape,
  ScatterElements: forTraining,
  Slice: lowerSlice,
  Transpose: lowerTranspose,

  // BatchNormalization with fixed statistics has become part of a product, or three elementwise nodes.
  LayerNormalization: lowerLayerNorm,

  Softmax: lowerSoftmax,
  SoftmaxCrossEntropyLoss: forTraining,

  Loop: forTraining,
};

/** @throws CompileError for what is not covered */
export function lower(lowering: Lowering, node: Node): void {
  const values: readonly (Value | undefined)[] = [...node.inputs, ...node.outputs];
  // Loops run at least once, so tensors without elements are refused; they have no useful result.
  if (values.some(isEmpty)) throw uncovered(node, 'expected tensors that have elements, got an empty one');
  if (isElementwise(node)) {
    lowerElementwise(lowering, node);
  } else {
    const rule = (rules[node.op] ?? notCovered) as Rule<OpType>;
    rule(lowering, node);
  }
}

/** Is true for a tensor without elements, except a stored list of axes or sizes. */
const isEmpty = (value: Value | undefined): boolean =>
  value !== undefined && sizeIfKnown(value.shape) === 0 && !(value.constant && value.dtype === 'int64');
