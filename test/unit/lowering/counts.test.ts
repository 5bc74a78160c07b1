/**
 * Each pass replaces the recorded number of nodes in each network: a pass that no longer matches shows here, not as a
 * slower step.
 */
import { describe, expect, it } from 'vitest';
import type { Graph } from '../../../training/graph/index.ts';
import { lowerBy } from '../../../training/lowering/index.ts';
import { passesOf, type Target } from '../../../training/lowering/passes.ts';
import {
  denseNetwork,
  type Network,
  networks as named,
  type Plan,
  planNetwork,
} from '../../../training/network/index.ts';
import { createOptimizer } from '../../../training/optimizer/index.ts';
import { stepGraph } from '../../../training/trainer/compiled/step-graph.ts';
import { gradientGraph } from '../../../training/trainer/in-place/gradient-graph.ts';
import { type LoopOptions, loopGraph } from '../../../training/trainer/loop-graph.ts';
import { gradientGraph as smallGradients, networks as small } from './step-graphs.ts';

const table = denseNetwork({ name: 'table', inputShape: [4], categories: [0, 3, 0, 2], outputs: 3 }, [64, 32]);
/** The columns of the table: networks trained by mini-batch statistics, and one by fixed statistics. */
const columns: readonly (readonly [title: string, network: Network, more?: Partial<LoopOptions>])[] = [
  ...[...Object.values(named), table].map((network) => [network.name, network] as const),
  ['frozen mlp', named['mnist-mlp'], { freezeBn: true }],
];

const options: LoopOptions = {
  optimizer: createOptimizer({ optimizer: 'adam' }),
  bnMomentum: 0.9,
  seed: 1,
  batchSize: 64,
  data: { count: 64, dtype: 'float32' },
};

/** Maps each target to the part of a training step that it runs. */
const graphFor: { readonly [T in Target]: (plan: Plan, options: LoopOptions) => Graph } = {
  native: gradientGraph,
  rows: gradientGraph,
  wasm: gradientGraph,
  webgpu: loopGraph,
  compiled: stepGraph,
};

/** The threshold for a program of rows is small, so that all networks have some. */
const processor = { channelBlock: 16, rowElements: 2 ** 11 };

/** Counts the nodes that each pass replaces, by the pass's name. */
function countsIn(graph: Graph, target: Target): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  let lowered = graph;
  for (const [name, pass] of Object.entries(passesOf(target, processor))) {
    let count = 0;
    lowered = pass(lowered, () => count++);
    counts.set(name, count);
  }
  lowerBy(lowered, {});
  return counts;
}

/**
 * Prints a line for each pass and a column for each network; the last column is for all networks of `step-graphs.ts`.
 */
function tableOf(target: Target): string {
  const counts = columns.map(([, network, more]) =>
    countsIn(graphFor[target](planNetwork(network), { ...options, ...more }), target),
  );
  const others = small.map(([, network]) => countsIn(smallGradients(network), target));
  const cell = (text: string | number) => String(text).padStart(13);
  const line = (name: string, cells: readonly (string | number)[]) => name.padEnd(22) + cells.map(cell).join('');
  const lines = Object.keys(passesOf(target, processor)).map((name) =>
    line(name, [
      ...counts.map((each) => each.get(name) ?? 0),
      others.reduce((sum, each) => sum + (each.get(name) ?? 0), 0),
    ]),
  );
  return [line('', [...columns.map(([title]) => title), 'others']), ...lines].join('\n');
}

const expected: { readonly [T in Target]: string } = {
  native: `
                          mnist-mlp    mnist-cnn mnist-resnet        table   frozen mlp       others
pooledConv                        0           11            5            0            0           36
reluAfterPool                     0            0            0            0            0           11
reluGradient                      2            1            4            2            2           14
batchNormGradient                 4            2           10            4            0           16
denseBatchNorm                    2            1            0            2            0            3
columnSums                       11            6            1           11            5           26
crossEntropyPrimitives            1            1            1            1            1           11
convWeightGradient                0            0            5            0            0           13
convInputGradient                 0            0            3            0            0            5
shieldStatistics                  0            0            5            0            0            7
blockedConv                       0            2            8            0            0            0
blockedSums                       2           28           22            0            0            0
`,
  rows: `
                          mnist-mlp    mnist-cnn mnist-resnet        table   frozen mlp       others
pooledConv                        0           11            5            0            0           36
reluAfterPool                     0            0            0            0            0           11
reluGradient                      2            1            4            2            2           14
batchNormGradient                 4            2           10            4            0           16
denseBatchNorm                    2            1            0            2            0            3
featureRows                      42           23            0           42            0            0
columnSums                        1            1            1            1            5           26
crossEntropyPrimitives            1            1            1            1            1           11
convWeightGradient                0            0            5            0            0           13
convInputGradient                 0            0            3            0            0            5
shieldStatistics                  0            0            5            0            0            7
wholeSums                         0           10            6            0            0           32
blockedConv                       0            2            8            0            0            0
`,
  wasm: `
                          mnist-mlp    mnist-cnn mnist-resnet        table   frozen mlp       others
pooledConv                        0           11            5            0            0           36
reluAfterPool                     0            0            0            0            0           11
reluGradient                      2            1            4            2            2           14
batchNormGradient                 4            2           10            4            0           16
denseBatchNorm                    2            1            0            2            0            3
columnSums                       11            6            1           11            5           26
crossEntropyPrimitives            1            1            1            1            1           11
convWeightGradient                0            0            5            0            0           13
convInputGradient                 0            0            3            0            0            5
shieldStatistics                  0            0            5            0            0            7
`,
  webgpu: `
                          mnist-mlp    mnist-cnn mnist-resnet        table   frozen mlp       others
convWeightGradient                0            2            6            0            0           19
convInputGradient                 0            1            3            0            0            7
convTransposeGroups               0            0            0            0            0            1
maxPoolGradient                   0            2            1            0            0           10
maxPoolGradientWindows            0            0            0            0            0            4
batchNormPrimitives               2            3            6            2            0           16
crossEntropyPrimitives            1            1            1            1            1           11
narrowIntegers                    2            2            2            2            2           11
`,
  compiled: `
                          mnist-mlp    mnist-cnn mnist-resnet        table   frozen mlp       others
batchNormPrimitives               2            3            6            2            0           16
fixedBatchNorm                    0            0            0            0            2            0
crossEntropyPrimitives            1            1            1            1            1           11
`,
};

describe('the nodes that each pass replaces', () => {
  it.each(Object.keys(expected) as Target[])('for %s', (target) => {
    expect(tableOf(target)).toBe(expected[target].slice(1, -1));
  });
});
