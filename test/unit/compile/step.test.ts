/** A whole compiled training step agrees with the float64 interpreter's result for the readable graph. */
import { describe, expect, it } from 'vitest';
import { compileStatic } from '../../../training/compile/index.ts';
import { type Graph, printGraph } from '../../../training/graph/index.ts';
import { lower } from '../../../training/lowering/index.ts';
import {
  batchNorm,
  dense,
  flatten,
  gelu,
  heads,
  leakyRelu,
  members,
  type Network,
  planNetwork,
  relu,
  residual,
  sigmoid,
  tanh,
} from '../../../training/network/index.ts';
import { binary, huber, mse, multiclass, type Objective } from '../../../training/objective/index.ts';
import { createOptimizer, type OptimizerName, optimizers } from '../../../training/optimizer/index.ts';
import { afterName, scalarName, stepGraph } from '../../../training/trainer/compiled/step-graph.ts';
import { carriedState } from '../../../training/trainer/state.ts';
import type { StepOptions } from '../../../training/trainer/step.ts';
import { stepScalars } from '../../../training/trainer/update-inputs.ts';
import { expectClose } from '../../reference/close.ts';
import { type Arrays, evaluate } from '../../reference/evaluate.ts';
import { range, sizeOf } from '../../reference/ndarray.ts';
import { seeded, seedOf } from '../../reference/random.ts';
import { openStatic } from './run-static.ts';
import { present } from '../../../training/arrays/index.ts';

const batchSize = 13;
/** The tolerance of a step of float32 against one of float64. */
const tolerance = { rtol: 1e-5, ofLargest: 2e-7 };

const base: StepOptions = { optimizer: createOptimizer({ optimizer: 'adam' }), bnMomentum: 0.9, seed: 3 };
const hidden = [dense(12), batchNorm(), relu(), dense(7), batchNorm(), relu()];
const net = (layers: Network['layers'], more: Partial<Network> = {}): Network => ({
  name: 'net',
  inputShape: [5],
  inputNormalization: 'feature',
  layers,
  ...more,
});
const table = { inputShape: [4], categories: [0, 3, 0, 2], fills: [0.5, null, null, null], indicators: [0] } as const;
const bins = { bins: 3, edges: [[-1, 0, 0.5, 1], [], [-0.5, 0.5], []], inputNormalization: 'robust' } as const;

interface Row {
  readonly network: Network;
  readonly options?: Partial<StepOptions>;
}

const rows: Readonly<Record<string, Row>> = {
  'dense layers with Batch Norm and ReLU': { network: net([...hidden, dense(3)]) },
  'a picture as a vector': { network: net([flatten(), ...hidden, dense(3)], { inputShape: [2, 3, 3] }) },
  'every activation': {
    network: net([dense(6), leakyRelu(0.1), dense(6), sigmoid(), dense(6), tanh(), dense(6), gelu(), dense(3)]),
  },
  'a residual block': { network: net([dense(6), residual([dense(6), batchNorm(), relu()]), relu(), dense(3)]) },
  'columns of categories and gaps': { network: net([...hidden, dense(3)], table) },
  bins: { network: net([...hidden, dense(3)], { ...table, ...bins }) },
  members: { network: net([members(4), ...hidden, heads(3)], { ...table, ...bins }) },
  'label smoothing and weights of classes': {
    network: net([...hidden, dense(3)]),
    options: { objective: multiclass({ labelSmoothing: 0.1, classWeights: [1, 2, 0.5] }) },
  },
  'one logit': { network: net([...hidden, dense(1)]), options: { objective: binary() } },
  'a number': { network: net([...hidden, dense(1)], { standardizedTargets: true }), options: { objective: mse() } },
  'a number, by Huber': {
    network: net([...hidden, dense(1)], { standardizedTargets: true }),
    options: { objective: huber() },
  },
  'fixed statistics': { network: net([...hidden, dense(3)]), options: { freezeBn: true } },
  'the unbiased variance, clipping, and an average': {
    network: net([...hidden, dense(3)]),
    options: { bnVariance: 'unbiased', clipNorm: 0.1, ema: 0.9, bnMomentum: 'none' },
  },
  ...Object.fromEntries(
    (Object.keys(optimizers) as OptimizerName[]).map((optimizer) => [
      `${optimizer} with weight decay`,
      { network: net([...hidden, dense(3)]), options: { optimizer: createOptimizer({ optimizer }), weightDecay: 0.1 } },
    ]),
  ),
};

function stepOf({ network, options }: Row) {
  const all = { ...base, ...options, batchSize };
  const graph = stepGraph(planNetwork(network), all);
  const carried = [...carriedState(planNetwork(network), all).keys()];
  return { graph, options: all, inPlace: new Map(carried.map((name) => [afterName(name), name])) };
}

/** Makes numbers that a run could have reached. */
function feedsOf(name: string, graph: Graph, { network }: Row, options: StepOptions): Arrays {
  const random = seeded(seedOf(name));
  const scalars = stepScalars(options, 5, 0.01);
  const sampleOf = (input: string, i: number): number => {
    const scalar = Object.entries(scalars).find(([key]) => scalarName(key) === input);
    if (scalar) return Math.fround(scalar[1]);
    if (input === 'step') return 4;
    if (input === 'targets') return targetOf(options.objective, random());
    const categories = network.categories?.[i % (network.inputShape[0] ?? 1)] ?? 0;
    if (input === 'x' && categories > 0) return Math.floor(categories * random());
    const isPositive = /running_var|std|iqr|_sq$|square_avg/.test(input);
    return Math.fround(isPositive ? 0.5 + random() : 2 * random() - 1);
  };
  return Object.fromEntries(
    graph.inputs.map(({ name: input, shape }) => {
      const sizes = shape.map(Number);
      return [input, { shape: sizes, data: Float64Array.from(range(sizeOf(sizes)), (i) => sampleOf(input, i)) }];
    }),
  );
}

function targetOf(objective: Objective | undefined, random: number): number {
  const classes = { multiclass: 3, binary: 2 }[objective?.kind as string] ?? (objective ? 0 : 3);
  return classes > 0 ? Math.floor(classes * random) : Math.fround(3 * random - 1);
}

describe.each([false, true])('with fma %s', (fma) => {
  it.each(Object.entries(rows))('%s', (name, row) => {
    const { graph, options, inPlace } = stepOf(row);
    const feeds = feedsOf(name, graph, row, options);
    const program = openStatic(lower(graph, 'compiled'), { inPlace, fma });
    program.write(feeds);
    program.run();
    const [expected, actual] = [evaluate(graph, feeds), program.read()];
    for (const { name: output } of graph.outputs) {
      expectClose(output, actual[output], present(expected[output]), tolerance);
    }
  });
});

it('what a step changes is written where it was, but for what is still read', () => {
  const { graph, inPlace } = stepOf({ network: net([...hidden, dense(3)]) });
  const { inputs, outputs } = compileStatic(lower(graph, 'compiled'), { inPlace });
  const offsets = new Map(inputs.map(({ name, offset }) => [name, offset]));
  for (const { name, offset } of outputs) {
    const input = inPlace.get(name);
    if (input !== undefined) expect(offset, name).toBe(offsets.get(input));
  }
  expect(printGraph(graph)).toContain('BatchNormalization');
});

it('the same bits come from the same numbers', () => {
  const row = { network: net([...hidden, dense(3)]) };
  const { graph, options, inPlace } = stepOf(row);
  const feeds = feedsOf('bits', graph, row, options);
  const bits = range(2).map(() => {
    const program = openStatic(lower(graph, 'compiled'), { inPlace, fma: true });
    program.write(feeds);
    for (const _step of range(5)) program.run();
    return program.read();
  });
  expect(bits[1]).toEqual(bits[0]);
});
