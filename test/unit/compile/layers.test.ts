/** Every kind of layer and every named network compiles. A kind without an example here is a compile error. */
import { describe, expect, it } from 'vitest';
import { compile } from '../../../training/compile/index.ts';
import {
  averagePool,
  batchNorm,
  conv2d,
  dense,
  dropout,
  encodeCategories,
  encodeNumbers,
  flatten,
  gelu,
  globalAveragePool,
  heads,
  type LayerKind,
  layerNorm,
  leakyRelu,
  maxPool,
  members,
  type Network,
  networks,
  relu,
  residual,
  sigmoid,
  softmax,
  tanh,
} from '../../../training/network/index.ts';
import { type Described, networkGraph, samplesFor } from './network-graph.ts';
import { expectReference } from './run-compiled.ts';

const row = (...layers: Network['layers']): Described => ({ inputShape: [6], layers });
const picture = (...layers: Network['layers']): Described => ({ inputShape: [3, 8, 7], layers });

/** The table's properties that some layers need. */
const table = { inputShape: [3], categories: [0, 4, 0], edges: [[-0.5, 0, 0.5], [], []] };

const examples: { readonly [K in LayerKind]: Described } = {
  dense: row(dense(5)),
  conv2d: picture(conv2d(5, { kernel: 3, stride: 2, padding: 1, dilation: 1 }), conv2d(10, { kernel: 1, groups: 5 })),
  batchNorm: row(dense(5), batchNorm()),
  layerNorm: row(dense(5), layerNorm()),
  relu: row(dense(5), relu()),
  leakyRelu: row(dense(5), leakyRelu(0.2)),
  sigmoid: row(dense(5), sigmoid()),
  tanh: row(dense(5), tanh()),
  gelu: row(dense(5), gelu()),
  softmax: row(dense(5), softmax()),
  maxPool: picture(maxPool(3, { stride: 2 })),
  averagePool: picture(averagePool(2)),
  globalAveragePool: picture(globalAveragePool()),
  flatten: picture(flatten()),
  members: row(members(3), dense(4), heads(2)),
  heads: row(members(2), dense(4), relu(), heads(1, { average: 'sigmoid' })),
  dropout: row(dense(5), dropout(0.5)),
  encodeNumbers: { ...table, layers: [encodeNumbers(), dense(3)] },
  encodeCategories: { ...table, layers: [encodeCategories({ dimension: 2 }), dense(3)] },
  residual: row(residual([dense(6), batchNorm(), relu(), dense(6)])),
};

describe('a layer of each kind gives what the reference gives', () => {
  it.each(Object.entries(examples))('%s', async (_kind, described) => {
    const graph = networkGraph(described);
    for (const options of [{}, { fma: true }]) await expectReference(graph, samplesFor(graph, 3), options);
  });
});

describe('each named network compiles', () => {
  it.each(Object.entries(networks))('%s', async (_name, network) => {
    const { inputs, outputs } = await compile(networkGraph(network));
    expect([inputs[0]?.count, outputs[0]?.count]).toEqual([784, 10]);
  });
});
