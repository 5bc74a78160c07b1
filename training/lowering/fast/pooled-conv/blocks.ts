/** Finding convolution, Batch Norm, ReLU and 2 × 2 max pooling in a row. */
import type { Graph, Node, OpNode } from '../../../graph/index.ts';
import { producer, type Producers, sizes } from '../../match.ts';
import { tilesInTwos } from '../max-pool-gradient.ts';

export interface Block {
  readonly conv: OpNode<'Conv'>;
  readonly bn: OpNode<'BatchNormalization'>;
  readonly pool: OpNode<'MaxPool'>;
  /** Whether the gradient of the block's input is asked for. */
  readonly isInner: boolean;
}

/** The blocks of a graph and of the bodies inside it; none where a shape is known at run time only. */
export function findBlocks({ nodes }: Graph): readonly Block[] {
  const byOutput = new Map(nodes.flatMap((node) => node.outputs.map(({ name }) => [name, node] as const)));
  const graph: Producers = { producer: ({ name }) => byOutput.get(name) };
  const transposed = new Set(nodes.flatMap((node) => (node.op === 'ConvTranspose' ? [node.inputs[1].name] : [])));
  return nodes.flatMap((node): readonly Block[] => {
    if (node.op === 'Loop') return findBlocks(node.attributes.body);
    const pool = asTilingPool(node);
    const relu = producer(graph, pool?.inputs[0], 'Relu');
    const bn = producer(graph, relu?.inputs[0], 'BatchNormalization');
    const conv = producer(graph, bn?.inputs[0], 'Conv');
    if (!pool || !bn || !conv || !isPlain(conv) || !normalizesByMiniBatch(bn)) return [];
    return [{ conv, bn, pool, isInner: transposed.has(conv.inputs[1].name) }];
  });
}

const asTilingPool = (node: Node): OpNode<'MaxPool'> | undefined =>
  node.op === 'MaxPool' && tilesInTwos(node) ? node : undefined;

const normalizesByMiniBatch = ({ attributes }: Block['bn']): boolean =>
  attributes.training_mode === 1 && attributes.momentum === 0;

/** Of one group, without bias and with strides of one. */
const isPlain = ({ inputs: [X, , bias], attributes: { group, strides } }: Block['conv']): boolean =>
  group === 1 && !bias && strides.every((stride) => stride === 1) && sizes(X).every((size) => !Number.isNaN(size));
