/** Finds convolution, Batch Norm, ReLU and 2 × 2 max pooling in a row. */
import type { Graph, OpNode } from '../../../graph/index.ts';
import { nodesOf } from '../../nodes.ts';
import { patterns } from '../../pattern.ts';
import { tilesInTwos } from '../max-pool-gradient.ts';

const { BatchNormalization, Conv, MaxPool, Relu } = patterns;

/** Matches a convolution of one group, without bias and with strides of one. */
const convolution = Conv('_', '_', undefined, { group: 1, strides: [1, 1] }).as('conv');
/** Matches Batch Norm by the statistics of the mini-batch. */
const normalized = BatchNormalization(convolution, { training_mode: 1, momentum: 0 }).as('bn');
const block = MaxPool(Relu(normalized)).as('pool');

export interface Block {
  readonly conv: OpNode<'Conv'>;
  readonly bn: OpNode<'BatchNormalization'>;
  readonly pool: OpNode<'MaxPool'>;
  /** Is true when the graph computes the gradient of the block's input. */
  readonly isInner: boolean;
}

/** Returns the blocks of a graph and of the bodies inside it, without those whose shapes are known at run time only. */
export function findBlocks(graph: Graph): readonly Block[] {
  const all = nodesOf(graph);
  const transposed = new Set(graph.nodes.flatMap((node) => (node.op === 'ConvTranspose' ? [node.inputs[1].name] : [])));
  return graph.nodes.flatMap((node): readonly Block[] => {
    if (node.op === 'Loop') return findBlocks(node.attributes.body);
    const found = block.match(all, node);
    if (!found || !tilesInTwos(found.pool) || found.conv.inputs[0].shape.some((dim) => typeof dim !== 'number'))
      return [];
    return [{ ...found, isInner: transposed.has(found.conv.inputs[1].name) }];
  });
}
