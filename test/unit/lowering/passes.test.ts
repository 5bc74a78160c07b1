/** Every pass keeps a graph's results in other ops, as the float64 interpreter shows. */
import { describe, expect, it } from 'vitest';
import { type Graph, graphBuilder, type OpType, printGraph } from '../../../training/graph/index.ts';
import { lower } from '../../../training/lowering/index.ts';
import { expectClose } from '../../reference/close.ts';
import { evaluate } from '../../reference/evaluate.ts';
import { channelBlock } from '../../reference/evaluators/convolution.ts';
import { feedsFor, gradientGraph, network, networks } from './step-graphs.ts';

describe('a graph lowered for the native backend', () => {
  it.each(networks)('computes the same loss, gradients and statistics: %s', (_, described) => {
    const graph = gradientGraph(described);
    const feeds = feedsFor(graph);
    const [expected, got] = [evaluate(graph, feeds), evaluate(lower(graph, 'native', { channelBlock }), feeds)];
    expect(Object.keys(got)).toEqual(Object.keys(expected));
    for (const [name, value] of Object.entries(expected)) {
      expectClose(name, got[name], value, { rtol: 5e-10, atol: 1e-13 });
    }
  });

  it('has none of the ops that the passes replace', () => {
    const count = (graph: Graph, op: OpType) => graph.nodes.filter((node) => node.op === op).length;
    const graph = gradientGraph(networks[1]?.[1] ?? network([1]));
    const lowered = lower(graph, 'native');
    const counts = (['ScatterElements', 'ConvTranspose', 'Greater', 'Conv', 'Max', 'HardSigmoid'] as const).map(
      (op) => [op, count(graph, op), count(lowered, op)] as const,
    );
    expect(counts).toEqual([
      ['ScatterElements', 2, 0],
      ['ConvTranspose', 1, 0],
      ['Greater', 3, 0],
      ['Conv', 4, 3],
      ['Max', 0, 6],
      ['HardSigmoid', 0, 11],
    ]);
  });

  it('has as many ops as were reviewed, layer by layer: a pooled block in front of a pooled block', () => {
    const lowered = lower(gradientGraph(networks[2]?.[1] ?? network([1])), 'native');
    const layerOf = ({ outputs: [first] }: Graph['nodes'][number]) =>
      /^(.*?)\//.exec(first.name)?.[1] ?? 'outputs and the loss';
    const layers = Map.groupBy(lowered.nodes, layerOf);
    const opsOf = (nodes: Graph['nodes']) =>
      Array.from(
        Map.groupBy(nodes, ({ op }) => op),
        ([op, all]) => `${op} ${all.length}`,
      ).sort();
    const listed = Array.from(layers, ([layer, nodes]) => `${layer}: ${opsOf(nodes).join(', ')}`);
    expect(listed).toMatchInlineSnapshot(`
      [
        "input: Div 1, Sub 1",
        "bn1: Add 5, Concat 2, Div 6, Gather 4, HardSigmoid 5, MatMul 5, Max 4, Mul 15, ReduceSum 14, Relu 1, Reshape 25, Sqrt 1, Sub 11, Transpose 2, com.microsoft.FusedMatMul 4",
        "outputs and the loss: Cast 1, Equal 1, Exp 1, Gemm 1, Log 1, Mul 1, Neg 1, ReduceMax 1, ReduceMean 1, ReduceSum 2, Reshape 10, Sub 2",
        "pool1: Reshape 1",
        "bn2: Add 10, Conv 1, Div 8, Gather 4, HardSigmoid 5, Max 3, Mul 20, ReduceSum 8, Relu 1, Reshape 17, Sqrt 1, Sub 12, Transpose 1",
        "pool2: Reshape 2, Transpose 1",
        "flatten1: Flatten 1",
        "fc1: Gemm 2, MatMul 1",
        "SoftmaxCrossEntropyLoss: Cast 2, Div 1, Equal 1, Exp 1, Mul 1, Reshape 1, Sub 1",
        "conv2: Concat 3, Conv 1, Gather 6, Mul 2, ReduceSum 1, Reshape 23, Transpose 2, com.microsoft.FusedMatMul 4",
        "conv1: Concat 1, Mul 4, ReduceSum 1, Reshape 12, Sub 2, Transpose 1, com.microsoft.FusedMatMul 4",
      ]
    `);
  });

  it('puts the channels of a convolution into blocks where they fill some', () => {
    const g = graphBuilder();
    const x = g.input('x', { dtype: 'float32', shape: [1, 8, 3, 3] });
    const filters = [
      g.input('even', { dtype: 'float32', shape: [4, 8, 2, 2] }),
      g.input('odd', { dtype: 'float32', shape: [3, 4, 1, 1] }),
    ];
    const window = { strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1], group: 1 };
    const y = filters.reduce(
      (image, W) => g.Conv(image, W, undefined, { ...window, kernel_shape: W.shape.slice(2).map(Number) }),
      x,
    );
    expect(printGraph(lower(g.build('blocks', { y }), 'native', { channelBlock: 4 }))).toMatchInlineSnapshot(`
      "blocks(x: float32[1, 8, 3, 3], even: float32[4, 8, 2, 2], odd: float32[3, 4, 1, 1]) {
        com.microsoft.nchwc.ReorderInput: float32[1, 8, 3, 3] = com.microsoft.nchwc.ReorderInput(x)
        Reshape: float32[1, 4, 2, 4, 2, 2] = Reshape(even, [1, 4, 2, 4, 2, 2])
        Transpose: float32[1, 2, 2, 2, 4, 4] = Transpose(Reshape) {perm: [0, 2, 4, 5, 3, 1]}
        Reshape_1: float32[4, 8, 2, 2] = Reshape(Transpose, [4, 8, 2, 2])
        com.microsoft.nchwc.Conv: float32[1, 4, 2, 2] = com.microsoft.nchwc.Conv(com.microsoft.nchwc.ReorderInput, Reshape_1) {strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1], group: 1, kernel_shape: [2, 2]}
        com.microsoft.nchwc.ReorderOutput: float32[1, 4, 2, 2] = com.microsoft.nchwc.ReorderOutput(com.microsoft.nchwc.Conv) {channels: 4}
        y: float32[1, 3, 2, 2] = Conv(com.microsoft.nchwc.ReorderOutput, odd) {strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1], group: 1, kernel_shape: [1, 1]}
        return y
      }"
    `);
  });
});
