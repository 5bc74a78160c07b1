/** Passes that turn a readable graph into one that a backend runs right and fast. */
import { checkGraph, type Graph } from '../graph/index.ts';
import { batchNormGradient } from './batch-norm-gradient.ts';
import { batchNormPrimitives } from './batch-norm-primitives.ts';
import { blockedConv } from './blocked-conv.ts';
import { blockedSums } from './blocked-sums.ts';
import { carriedShapes } from './carried-shapes.ts';
import { columnSums } from './column-sums.ts';
import { convInputGradient } from './conv-input-gradient.ts';
import { convTransposeGroups } from './conv-transpose-groups.ts';
import { convWeightGradient } from './conv-weight-gradient.ts';
import { crossEntropyPrimitives } from './cross-entropy-primitives.ts';
import { denseBatchNorm } from './dense-batch-norm.ts';
import { maxPoolGradientWindows } from './max-pool-gradient-windows.ts';
import { maxPoolGradient } from './max-pool-gradient.ts';
import { narrowIntegers } from './narrow-integers.ts';
import { pooledConv } from './pooled-conv/index.ts';
import { reluAfterPool } from './relu-after-pool.ts';
import { reluGradient } from './relu-gradient.ts';
import type { Pass } from './rewrite.ts';
import { shieldStatistics } from './shield-statistics.ts';
import { transposedProducts } from './transposed-products.ts';

export { type LoopStep, loopStep } from './loop-step.ts';

export type Target = 'native' | 'wasm' | 'webgpu';

/**
 * The WebAssembly kernels are the native ones, compiled for another machine.
 *
 * A pass recognizes what rules or earlier passes have emitted, so the order matters: what replaces many nodes at once comes before
 * what replaces some of them, and sums down columns after what emits them.
 */
const cpu: readonly Pass[] = [
  pooledConv,
  transposedProducts,
  reluAfterPool,
  reluGradient,
  maxPoolGradient,
  batchNormGradient,
  denseBatchNorm,
  columnSums,
  crossEntropyPrimitives,
  convWeightGradient,
  convInputGradient,
  shieldStatistics,
];

const passes: { readonly [T in Target]: readonly Pass[] } = {
  native: cpu,
  wasm: cpu,
  webgpu: [
    convWeightGradient,
    convInputGradient,
    convTransposeGroups,
    maxPoolGradient,
    maxPoolGradientWindows,
    batchNormPrimitives,
    crossEntropyPrimitives,
    narrowIntegers,
  ],
};

/** What a machine's processor decides. */
export interface Processor {
  /** How many channels its kernels for convolution take at once; none where the runtime has no such kernels. */
  readonly channelBlock?: number | undefined;
}

/** The graph for a target, checked after the last pass. */
export function lower(graph: Graph, target: Target, { channelBlock }: Processor = {}): Graph {
  const all =
    channelBlock === undefined
      ? passes[target]
      : [...passes[target], blockedConv(channelBlock), blockedSums(channelBlock), carriedShapes];
  return checkGraph(all.reduce((lowered, pass) => pass(lowered), graph));
}
