/**
 * Lists the passes of each target, in order.
 *
 * A pass recognizes what gradient rules or earlier passes emit, so the order matters. A pass that replaces many nodes
 * at once comes before those that replace some of them. `columnSums` comes after `denseBatchNorm` and
 * `batchNormGradient`, which emit such sums.
 */
import { batchNormGradient } from './fast/batch-norm-gradient.ts';
import { blockedConv } from './fast/blocked-conv.ts';
import { blockedSums } from './fast/blocked-sums.ts';
import { columnSums } from './fast/column-sums.ts';
import { convInputGradient } from './fast/conv-input-gradient.ts';
import { convWeightGradient } from './fast/conv-weight-gradient.ts';
import { denseBatchNorm } from './fast/dense-batch-norm.ts';
import { featureRows } from './fast/feature-rows.ts';
import { maxPoolGradient } from './fast/max-pool-gradient.ts';
import { pooledConv } from './fast/pooled-conv/index.ts';
import { reluAfterPool } from './fast/relu-after-pool.ts';
import { reluGradient } from './fast/relu-gradient.ts';
import { wholeSums } from './fast/whole-sums.ts';
import { batchNormPrimitives } from './fix/batch-norm-primitives.ts';
import { convTransposeGroups } from './fix/conv-transpose-groups.ts';
import { crossEntropyPrimitives } from './fix/cross-entropy-primitives.ts';
import { fixedBatchNorm } from './fix/fixed-batch-norm.ts';
import { maxPoolGradientWindows } from './fix/max-pool-gradient-windows.ts';
import { narrowIntegers } from './fix/narrow-integers.ts';
import { shieldStatistics } from './fix/shield-statistics.ts';
import type { Pass } from './rewrite.ts';

/**
 * `compiled` is a module of the whole graph (../compile). `rows` is like `native`, but rows of channels are compiled.
 */
export type Target = 'native' | 'wasm' | 'webgpu' | 'compiled' | 'rows';

/** The properties of a machine's processor that passes depend on. */
export interface Processor {
  /**
   * The number of channels that its convolution kernels take at once; undefined where the runtime has no such kernels.
   */
  readonly channelBlock?: number | undefined;
  /** The number of elements from which a matrix is worth a program of rows; all are when omitted. */
  readonly rowElements?: number | undefined;
}

/** The passes by name, in the order in which they run. */
export type Passes = Readonly<Record<string, Pass>>;

/** The passes that replace all nodes of an operation and of its gradient at once. */
const wholeOperations: Passes = {
  pooledConv,
  reluAfterPool,
  reluGradient,
  batchNormGradient,
  denseBatchNorm,
};

/** The passes that replace single ops. */
const singleOps: Passes = {
  columnSums,
  crossEntropyPrimitives,
  convWeightGradient,
  convInputGradient,
  shieldStatistics,
};

/** The passes for the CPU: WebAssembly's kernels are the native ones, compiled for another machine. */
const cpu: Passes = { ...wholeOperations, ...singleOps };

const byTarget: { readonly [T in Target]: (processor: Processor) => Passes } = {
  native: ({ channelBlock }) => ({ ...cpu, ...blocked(channelBlock), ...sums(channelBlock) }),
  wasm: () => cpu,
  webgpu: () => ({
    convWeightGradient,
    convInputGradient,
    convTransposeGroups,
    maxPoolGradient,
    maxPoolGradientWindows,
    batchNormPrimitives,
    crossEntropyPrimitives,
    narrowIntegers,
  }),
  rows: ({ channelBlock, rowElements = 1 }) => ({
    ...wholeOperations,
    featureRows: featureRows(rowElements),
    ...singleOps,
    wholeSums,
    ...blocked(channelBlock),
  }),
  compiled: () => ({ batchNormPrimitives, fixedBatchNorm, crossEntropyPrimitives }),
};

const blocked = (channelBlock: number | undefined): Passes =>
  channelBlock === undefined ? {} : { blockedConv: blockedConv(channelBlock) };

/** Returns the pass for sums of large tensors. For `rows`, `lowerSums` applies it to what is left to the runtime. */
const sums = (channelBlock: number | undefined): Passes =>
  channelBlock === undefined ? {} : { blockedSums: blockedSums(channelBlock) };

export const passesOf = (target: Target, processor: Processor = {}): Passes => byTarget[target](processor);
