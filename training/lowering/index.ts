/** Passes that turn a readable graph into one that a backend runs right and fast. */
import { checkGraph, type Graph } from '../graph/index.ts';
import { batchNormGradient } from './batch-norm-gradient.ts';
import { convInputGradient } from './conv-input-gradient.ts';
import { convWeightGradient } from './conv-weight-gradient.ts';
import { maxPoolGradient } from './max-pool-gradient.ts';
import { reluAfterPool } from './relu-after-pool.ts';
import { reluGradient } from './relu-gradient.ts';
import { denseBatchNorm } from './dense-batch-norm.ts';
import type { Pass } from './rewrite.ts';
import { shieldStatistics } from './shield-statistics.ts';

export { type LoopStep, loopStep } from './loop-step.ts';

export type Target = 'native' | 'wasm';

const passes: { readonly [T in Target]: readonly Pass[] } = {
  native: [
    reluAfterPool,
    reluGradient,
    maxPoolGradient,
    batchNormGradient,
    denseBatchNorm,
    convWeightGradient,
    convInputGradient,
    shieldStatistics,
  ],
  wasm: [shieldStatistics],
};

/** The graph for a target, checked after the last pass. */
export function lower(graph: Graph, target: Target): Graph {
  return checkGraph(passes[target].reduce((lowered, pass) => pass(lowered), graph));
}
