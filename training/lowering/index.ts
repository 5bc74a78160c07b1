/** Passes that turn a readable graph into one that a backend runs right and fast. */
import { checkGraph, type Graph } from '../graph/index.ts';
import { batchNormGradient } from './fast/batch-norm-gradient.ts';
import { batchNormPrimitives } from './fix/batch-norm-primitives.ts';
import { blockedConv } from './fast/blocked-conv.ts';
import { blockedSums } from './fast/blocked-sums.ts';
import { carriedShapes } from './loop/carried-shapes.ts';
import { columnSums } from './fast/column-sums.ts';
import { convInputGradient } from './fast/conv-input-gradient.ts';
import { convTransposeGroups } from './fix/conv-transpose-groups.ts';
import { convWeightGradient } from './fast/conv-weight-gradient.ts';
import { crossEntropyPrimitives } from './fix/cross-entropy-primitives.ts';
import { denseBatchNorm } from './fast/dense-batch-norm.ts';
import { featureRows } from './fast/feature-rows.ts';
import { fixedBatchNorm } from './fix/fixed-batch-norm.ts';
import { maxPoolGradientWindows } from './fix/max-pool-gradient-windows.ts';
import { maxPoolGradient } from './fast/max-pool-gradient.ts';
import { narrowIntegers } from './fix/narrow-integers.ts';
import { pooledConv } from './fast/pooled-conv/index.ts';
import { reluAfterPool } from './fast/relu-after-pool.ts';
import { reluGradient } from './fast/relu-gradient.ts';
import type { Pass } from './rewrite.ts';
import { shieldStatistics } from './fix/shield-statistics.ts';
import { transposedProducts } from './fast/transposed-products.ts';
import { wholeSums } from './fast/whole-sums.ts';

export { type LoopStep, loopStep } from './loop/loop-step.ts';

/** `compiled`: a module of the whole graph (../compile); `rows`: as `native`, but that rows of channels are compiled. */
export type Target = 'native' | 'wasm' | 'webgpu' | 'compiled' | 'rows';

/**
 * The WebAssembly kernels are the native ones, compiled for another machine.
 *
 * A pass recognizes what rules or earlier passes have emitted, so the order matters: what replaces many nodes at once comes before
 * what replaces some of them, and sums down columns after what emits them.
 */
const products: readonly Pass[] = [
  pooledConv,
  transposedProducts,
  reluAfterPool,
  reluGradient,
  maxPoolGradient,
  batchNormGradient,
  denseBatchNorm,
];

const primitives: readonly Pass[] = [
  columnSums,
  crossEntropyPrimitives,
  convWeightGradient,
  convInputGradient,
  shieldStatistics,
];

const cpu: readonly Pass[] = [...products, ...primitives];

const passes: { readonly [T in Target]: (processor: Processor) => readonly Pass[] } = {
  native: () => cpu,
  wasm: () => cpu,
  webgpu: () => [
    convWeightGradient,
    convInputGradient,
    convTransposeGroups,
    maxPoolGradient,
    maxPoolGradientWindows,
    batchNormPrimitives,
    crossEntropyPrimitives,
    narrowIntegers,
  ],
  rows: ({ rowElements = 1 }) => [...products, featureRows(rowElements), ...primitives, wholeSums],
  compiled: () => [batchNormPrimitives, fixedBatchNorm, crossEntropyPrimitives],
};

/** What a machine's processor decides. */
export interface Processor {
  /** How many channels its kernels for convolution take at once; none where the runtime has no such kernels. */
  readonly channelBlock?: number | undefined;
  /** Elements of a matrix that is worth a program of rows; all are when omitted. */
  readonly rowElements?: number | undefined;
}

/** What is left of a graph for `rows` to the runtime, in its fastest ops. */
export const lowerSums = (graph: Graph, { channelBlock }: Processor): Graph =>
  channelBlock === undefined ? graph : checkGraph(blockedSums(channelBlock)(graph));

/** The graph for a target, checked after the last pass. */
export function lower(graph: Graph, target: Target, processor: Processor = {}): Graph {
  const { channelBlock } = processor;
  const blocked = channelBlock === undefined ? [] : [blockedConv(channelBlock)];
  const sums = channelBlock === undefined || target === 'rows' ? [] : [blockedSums(channelBlock), carriedShapes];
  const all = [...passes[target](processor), ...blocked, ...sums];
  return checkGraph(all.reduce((lowered, pass) => pass(lowered), graph));
}
